package payment_test

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
)

const boxes, shipments = "../contract/testdata/box", "../contract/testdata/shipment"

// changed is a pack from a folder, with texts in its files replaced: old, new, …
func changed(t testing.TB, folder string, replacements ...string) *contract.Contract {
	t.Helper()
	pack, replacer, all := fstest.MapFS{}, strings.NewReplacer(replacements...), ""
	err := fs.WalkDir(os.DirFS(folder), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(os.DirFS(folder), path)
		all += string(raw)
		pack[path] = &fstest.MapFile{Data: []byte(replacer.Replace(string(raw)))}
		return err
	})
	for i := 0; i < len(replacements); i += 2 {
		if !strings.Contains(all, replacements[i]) {
			t.Fatalf("%s has no %s", folder, replacements[i])
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	c, err := contract.Load(pack)
	if err != nil {
		t.Fatalf("%q: %v", replacements, err)
	}
	return c
}

// checkDrawer holds every fact of a Drawer against the same of a Payment, each for
// itself and all in one Form.
func checkDrawer(t interface {
	Helper()
	Fatalf(string, ...any)
}, c *contract.Contract, d *payment.Drawer, o payment.Options, st *contract.State,
) {
	t.Helper()
	var all []payment.Piece
	wantAll := "before"
	for _, f := range c.Facts {
		if !d.Draws(f) {
			continue
		}
		want := "<" + string(payment.New(c, o).Fact(f, st).AppendCanonical(nil)) + ">"
		pieces := []payment.Piece{{Before: []byte("<"), Fact: f}, {Before: []byte(">")}}
		all, wantAll = append(all, pieces...), wantAll+want
		checkForm(t, d, o, d.NewForm(st, pieces), f.Name+" in "+st.String(), "before"+want)
	}
	checkForm(t, d, o, d.NewForm(st, all), "all facts in "+st.String(), wantAll)
}

func checkForm(t interface {
	Helper()
	Fatalf(string, ...any)
}, d *payment.Drawer, o payment.Options, f *payment.Form, what, want string,
) {
	t.Helper()
	got, ok := d.Append([]byte("before"), &o, f)
	switch {
	case !ok && (len(o.Facts) == 0 || string(got) != "before"):
		t.Fatalf("%s by %+v is not written: %s", what, o, got)
	case ok && (len(o.Facts) > 0 || string(got) != want):
		t.Fatalf("%s by %+v is %s, not %s", what, o, got, want)
	}
}

func TestDrawerDrawsWhatPaymentHas(t *testing.T) {
	for name, c := range map[string]*contract.Contract{"payloads": pack(t), "box": changed(t, boxes), "shipment": changed(t, shipments)} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				d, states := payment.NewDrawer(c, nil), rapid.SampledFrom(c.States())
				for range rapid.IntRange(1, 5).Draw(t, "payments") {
					o := drawn(t, c)
					o.Index %= 100
					o.Toward = rapid.SliceOfN(states, 0, 2).Draw(t, "toward")
					if rapid.Bool().Draw(t, "moved") {
						o.Moments = map[*contract.State]time.Duration{states.Draw(t, "state moved"): time.Duration(rapid.Int64().Draw(t, "moment"))}
					}
					if rapid.IntRange(0, 9).Draw(t, "given") == 0 {
						o.Facts = map[*contract.Fact]jsondoc.Value{rapid.SampledFrom(c.Facts).Draw(t, "fact given"): jsondoc.StringValue("5")}
					}
					checkDrawer(t, c, d, o, states.Draw(t, "state"))
				}
			})
		})
	}
}

func TestDrawerOnTextsOfAnyLength(t *testing.T) {
	for n := range 100 {
		c := changed(t, boxes, `{"hex": 8}`, fmt.Sprintf(`{"hex": %d}`, n+1))
		checkDrawer(t, c, payment.NewDrawer(c, nil), payment.Options{Seed: uint64(n), Start: c.Epoch}, c.States()[0])
	}
}

// TestDrawerOnOtherGenerators: what fits a machine word is drawn, and what does
// not is right all the same.
func TestDrawerOnOtherGenerators(t *testing.T) {
	const size, half = `{"decimal": {"min": "1", "max": "9", "step": "0.5", "places": 1}}`, `{"quotient": {"of": "size", "by": "2", "places": 2}}`
	const same, text = `{"same": {"as": "size", "different": {"percent": [10, 90], "places": 1}}}`, `{"text": ["{size/2} of {boxId}"]}`
	const between = `},
    "half": {"type": "string", "description": "half its size", "source": "manual", "scope": "box", "compare": "decimal", "generate": `
	decimals := func(low, high, step string, places int) string {
		return fmt.Sprintf(`{"decimal": {"min": %q, "max": %q, "step": %q, "places": %d}}`, low, high, step, places)
	}
	quotient := func(of, by string, places int) string {
		return fmt.Sprintf(`{"quotient": {"of": %q, "by": %q, "places": %d}}`, of, by, places)
	}
	part := func(as string, low, high, places int) string {
		return fmt.Sprintf(`{"same": {"as": %q, "different": {"percent": [%d, %d], "places": %d}}}`, as, low, high, places)
	}
	for _, x := range []struct {
		old, replacement, fact string
		draws                  bool
		apart                  string // the fact that a sealed box's copy differs from
	}{
		{size, decimals("0", "0", "1", 0), "size", true, ""},
		{size, decimals("0", "0.000001", "0.000001", 6), "copy", true, "size"},
		{size, decimals("0.005", "7.777", "0.0625", 2), "size", true, ""},
		{size, decimals("0.4", "99.6", "0.1", 0), "size", true, ""},
		{size, decimals("3", "3.1", "5", 1), "size", true, ""},
		{size, decimals("0", "1", "0.3", 18), "size", true, ""},
		{size, decimals("0", "1000000000000000000", "999", 0), "size", true, ""},
		{size, decimals("0", "1000000000000000001", "1", 0), "size", false, ""},
		{size, decimals("0", "0.9", "0.000000000000000001", 1), "size", true, ""},
		{size, decimals("0", "10", "1", 18), "size", false, ""},
		{size, decimals("0", "999999999999999999999999999999", "0.01", 2), "size", false, ""},
		{size, decimals("0", "5", "999999999999999999999999999999", 2), "size", false, ""},
		{half, quotient("size", "3", 0), "half", true, ""},
		{half, quotient("size", "0.7", 16), "half", true, ""},
		{half, quotient("size", "0.7", 17), "half", false, ""},
		{half, quotient("size", "123456789012345678", 18), "half", false, ""},
		{half, quotient("size", "12345678901234567", 18), "half", true, ""},
		{half, quotient("size", "0.000000000000000007", 0), "half", false, ""},
		{half, quotient("count", "7", 6), "half", true, ""},
		{half, quotient("copy", "3", 6), "half", false, ""},
		{half, quotient("boxId", "3", 6), "half", false, ""},
		{half, quotient("foldedAt", "3", 6), "half", false, ""},
		{half, quotient("state", "3", 6), "half", false, ""},
		{same, part("size", 101, 1000, 0), "copy", true, "size"},
		{same, part("size", 1, 3, 0), "copy", true, "size"},
		{same, part("size", 99, 99, 3), "copy", true, "size"},
		{same, part("size", 99, 99, 3), "copy", false, ""},
		{same, part("half", 50, 50, 15), "copy", true, "half"},
		{same, part("half", 1, 99, 1), "copy", true, "half"},
		{same, part("half", 101, 102, 2), "copy", true, "half"},
		{same, part("size", 99, 99, 18), "copy", false, "size"},
		{same, part("count", 10, 90, 2), "copy", true, "count"},
		{same, part("boxId", 10, 90, 2), "copy", false, "boxId"},
		{size, decimals("0", "0.000000000000000005", "0.000000000000000001", 18), "copy", false, "size"},
		{size + between + half, decimals("0", "1000000000000000000", "999", 0) + between + quotient("size", "99999.99", 0), "half", false, ""},
		{size + between + half, decimals("0", "10000000000000000", "999", 0) + between + quotient("size", "99999.99", 5), "half", true, ""},
		{same, `{"same": {"as": "boxId"}}`, "copy", true, ""},
		{same, `{"same": {"as": "foldedAt"}}`, "copy", false, ""},
		{same, `{"same": {"as": "was"}}`, "copy", false, ""},
		{text, `{"text": ["{size/7}{size/999999999999999}", "\"{count}\\{boxId}\u0001{half}é{code}{size}", "{none", "{size/3} {size/1}"]}`, "text", true, ""},
		{text, `{"text": ["{size/999999999999999999}"]}`, "text", false, ""},
		{text, `{"text": ["{copy/3}"]}`, "text", false, ""},
		{text, `{"text": ["{foldedAt}"]}`, "text", false, ""},
		{text, `{"text": ["{state}"]}`, "text", false, ""},
		{`{"pick": ["red", "blue"]}`, `{"pick": ["\"", "\\", "\u2028<&>", "빨강"]}`, "colour", true, ""},
		{`{"hex": 8}`, `{"hex": 1024}`, "boxId", true, ""},
		{`{"version": 0, "bytes": 4}`, `{"version": 0, "bytes": 64}`, "code", true, ""},
		{`{"version": 0, "bytes": 4}`, `{"version": 255, "bytes": 64}`, "code", true, ""},
		{`{"version": 0, "bytes": 4}`, `{"version": 1, "bytes": 1}`, "code", true, ""},
		{`{"min": 1, "max": 3}`, `{"min": 0, "max": 9007199254740992}`, "count", true, ""},
		{`{"min": 1, "max": 3}`, `{"min": 5, "max": 5}`, "count", true, ""},
	} {
		t.Run(x.replacement, func(t *testing.T) {
			replace := []string{x.old, x.replacement}
			if x.apart != "" {
				replace = append(replace, `"different": ["size", "copy"], "when": {"size": "1.0"}`, `"different": ["`+x.apart+`", "copy"], "when": {"event": "box.changed"}`)
			}
			c := changed(t, boxes, replace...)
			d := payment.NewDrawer(c, nil)
			if d.Draws(c.Fact(x.fact)) != x.draws {
				t.Errorf("draws %s: %v", x.fact, !x.draws)
			}
			for seed := range uint64(100) {
				for _, toward := range [][]*contract.State{nil, c.States()} {
					checkDrawer(t, c, d, payment.Options{Seed: seed, Index: seed % 3, Start: c.Epoch, Toward: toward}, c.States()[seed%3])
				}
			}
		})
	}
}
