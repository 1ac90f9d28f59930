package contract_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"testing"
	"testing/fstest"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/verify"
	"github.com/paytest/paytest/payloads"
)

// TestGenerates shows that whatever a pack's author can write and Load accepts
// can be generated from.
func TestGenerates(t *testing.T) {
	for name, fsys := range map[string]fs.FS{
		"built in": payloads.FS, "shipment": os.DirFS("testdata/shipment"), "box": os.DirFS("testdata/box"),
	} {
		t.Run(name, func(t *testing.T) { exercise(t, load(t, fsys), true) })
	}
}

// exercise makes every payload of some payments. Those of a sound pack pass.
func exercise(t *testing.T, c *contract.Contract, sound bool) {
	for _, st := range c.States() {
		raw := st.Sample.AppendCanonical(nil)
		if v := verify.NewChecker(c, verify.Strict{}).Check(raw, st.Path); !v.OK() || v.State != st || v.ID == "" || v.Edge == nil {
			t.Errorf("the sample of %s does not pass: %+v", st, v.Findings)
		}
		for seed := range uint64(3) {
			p := payment.New(c, payment.Options{Seed: seed, Start: c.Epoch, Toward: []*contract.State{st}})
			doc, err := generate.Payload(c, p, st, generate.Options{})
			if err != nil {
				t.Fatalf("%s: %v", st, err)
			}
			raw := doc.AppendCanonical(nil)
			if _, err := jsondoc.Parse(raw); err != nil {
				t.Fatalf("%s: %v in %s", st, err, raw)
			}
			if v := verify.Payload(c, raw, st.Path); sound && !v.OK() {
				t.Errorf("%s, seed %d: %+v", st, seed, v.Findings)
			}
		}
	}
	for _, s := range c.Subjects {
		p := payment.New(c, payment.Options{Start: c.Epoch})
		if _, err := generate.Payload(c, p, s.Initial, generate.Options{Force: true}); (err == nil) != (s.Initial.Wire != "") {
			t.Errorf("%s forced: %v", s.Initial, err)
		}
	}
}

// FuzzLoad gives Load a pack of three hostile files. It is refused with a place
// in it, or all that the program does with a pack works.
func FuzzLoad(f *testing.F) {
	pack := boxes(f)
	facts, lid := bytes.ReplaceAll(pack[inFacts].Data, []byte(`"scope": "lid"`), []byte(`"scope": "box"`)), pack["lid/lost.json"].Data
	if _, err := contract.Load(three([]byte(oneBox), facts, pack[inFolded].Data)); err != nil {
		f.Fatal("no seed is accepted, so nothing is tried:", err)
	}
	f.Add([]byte(oneBox), facts, pack[inFolded].Data)
	f.Add([]byte(oneBox), []byte(`{"$defs": {}}`), []byte(`{}`))
	f.Add([]byte(`{}`), facts, lid)
	f.Add([]byte(oneBox), facts, lid)
	f.Fuzz(func(t *testing.T, root, facts, state []byte) {
		if len(root)+len(facts)+len(state) > 64<<10 {
			return
		}
		c, err := contract.Load(three(root, facts, state))
		if linted, problems := contract.Lint(three(root, facts, state)); (len(problems) == 0) != (err == nil) || (linted == nil) != (c == nil) {
			t.Errorf("Load says %v, Lint %v", err, problems)
		}
		var le *contract.LoadError
		switch {
		case err == nil:
			exercise(t, c, false)
		case !errors.As(err, &le) || le.File == "" || le.Message == "" || c != nil:
			t.Errorf("refused without a place: %v", err)
		default:
			if _, err := jsondoc.ParsePointer(le.Pointer.String()); err != nil {
				t.Error(err)
			}
		}
	})
}

func three(root, facts, state []byte) fs.FS {
	return fstest.MapFS{inContract: {Data: root}, inFacts: {Data: facts}, inFolded: {Data: state}}
}

const oneBox = `{
  "name": "one box", "envelope": {"event": "/event", "state": "/state", "previousState": "/was"},
  "subjects": {"box": {"id": "boxId", "meaning": "a box",
    "initial": {"name": "flat", "state": "Flat", "meaning": "not folded yet", "source": "manual"}}},
  "delivery": {"success": [204], "timeout": "2s", "source": "manual"},
  "answers": {
    "ok": {"status": 204, "body": {}, "source": "manual"}, "duplicate": {"status": 204, "body": {}, "source": "manual"},
    "wrongEvent": {"status": 404, "body": {}, "source": "manual"}, "invalid": {"status": 400, "body": {}, "source": "manual"},
    "conflict": {"status": 409, "body": {}, "derived": "it is silent"}},
  "flow": {"states": ["box/folded"], "source": "manual"},
  "epoch": "2001-02-03T04:05:06.000Z"
}`
