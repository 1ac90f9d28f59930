package generate_test

import (
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
)

// packs are the built-in contract and two of quite another form.
func packs(t testing.TB) map[string]*contract.Contract {
	t.Helper()
	out := map[string]*contract.Contract{"payloads": pack(t)}
	for _, name := range []string{"box", "shipment"} {
		c, err := contract.Load(os.DirFS("../contract/testdata/" + name))
		if err != nil {
			t.Fatal(err)
		}
		out[name] = c
	}
	return out
}

// checkWriter holds a Writer against Payload.
func checkWriter(t interface {
	Helper()
	Fatalf(string, ...any)
}, c *contract.Contract, w *generate.Writer, o payment.Options, st, previous *contract.State,
) {
	t.Helper()
	checkWriters(t, c, w, o, o, st, previous)
}

// checkWriters has other options for Payload.
func checkWriters(t interface {
	Helper()
	Fatalf(string, ...any)
}, c *contract.Contract, w *generate.Writer, o, plain payment.Options, st, previous *contract.State,
) {
	t.Helper()
	var want []byte
	doc, wantErr := generate.Payload(c, payment.New(c, plain), st, generate.Options{Previous: previous})
	if wantErr == nil {
		want = doc.AppendCanonical(nil)
	}
	got, err := w.AppendFrom([]byte("before"), o, st, previous)
	if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
		t.Fatalf("%s: error %v, not %v", st, err, wantErr)
	}
	if string(got) != "before"+string(want) {
		t.Fatalf("%s from %v by %+v:\ngot  %s\nwant before%s", st, previous, o, got, want)
	}
}

// everyState are all of a contract's states, those that nothing reports too.
func everyState(c *contract.Contract) []*contract.State {
	out := c.States()
	for _, s := range c.Subjects {
		out = append(out, s.Initial)
	}
	return out
}

func TestWriterWritesWhatPayloadMakes(t *testing.T) {
	for name, c := range packs(t) {
		t.Run(name, func(t *testing.T) {
			w := generate.NewWriter(c)
			for seed := range uint64(100) {
				for _, st := range everyState(c) {
					for _, toward := range [][]*contract.State{nil, {st}, c.Flow} {
						checkWriter(t, c, w, payment.Options{Seed: seed, Index: seed / 2, Start: c.Epoch, Toward: toward}, st, nil)
					}
					for _, previous := range everyState(c) {
						checkWriter(t, c, w, payment.Options{Seed: seed, Start: c.Epoch}, st, previous)
					}
				}
			}
		})
	}
}

// TestWriterOnAnyOptions asks one Writer for the events of many payments by
// turns.
func TestWriterOnAnyOptions(t *testing.T) {
	for name, c := range packs(t) {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				w := generate.NewWriter(c)
				for range rapid.IntRange(1, 20).Draw(t, "events") {
					o, st, previous := anyEvent(t, c)
					checkWriter(t, c, w, o, st, previous)
				}
			})
		})
	}
}

// TestWriterOfGivenFacts holds a Writer of facts against Payload by Options that
// give them.
func TestWriterOfGivenFacts(t *testing.T) {
	for name, c := range packs(t) {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				texts := rapid.Map(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"1.0", "\x00", "\x000\x00"})), jsondoc.StringValue)
				given := rapid.MapOfN(rapid.SampledFrom(c.Facts), texts, 0, 3).Draw(t, "given")
				w := generate.NewWriterOf(c, given)
				for range rapid.IntRange(1, 20).Draw(t, "events") {
					o, st, previous := anyEvent(t, c)
					want := o
					if len(o.Facts) == 0 {
						want.Facts = given
					}
					checkWriters(t, c, w, o, want, st, previous)
				}
			})
		})
	}
}

func anyEvent(t *rapid.T, c *contract.Contract) (o payment.Options, st, previous *contract.State) {
	states := rapid.SampledFrom(everyState(c))
	o = payment.Options{
		Seed:   rapid.OneOf(rapid.Uint64Range(0, 2), rapid.Uint64()).Draw(t, "seed"),
		Index:  rapid.OneOf(rapid.Uint64Range(0, 70), rapid.Uint64()).Draw(t, "index"),
		Start:  anyTime(t),
		Toward: rapid.SliceOfN(states, 0, 3).Draw(t, "toward"),
	}
	durations := rapid.Map(rapid.Int64Range(-1e15, 1e15), func(n int64) time.Duration { return time.Duration(n) })
	o.Moments = rapid.MapOfN(states, durations, 0, 3).Draw(t, "moments")
	if rapid.IntRange(0, 5).Draw(t, "given") == 0 {
		texts := rapid.Map(rapid.String(), jsondoc.StringValue)
		o.Facts = rapid.MapOfN(rapid.SampledFrom(c.Facts), texts, 0, 3).Draw(t, "facts")
	}
	if rapid.Bool().Draw(t, "unusual") {
		previous = states.Draw(t, "previous")
	}
	return o, states.Draw(t, "state"), previous
}

// anyTime is mostly of the years when payments are made, and of any year and
// zone at times.
func anyTime(t *rapid.T) time.Time {
	seconds := rapid.OneOf(rapid.Int64Range(0, 4e9), rapid.Int64Range(-1e11, 1e12)).Draw(t, "second")
	zone := time.FixedZone("", rapid.IntRange(-14*3600, 14*3600).Draw(t, "zone"))
	return time.Unix(seconds, rapid.Int64Range(0, 999_999_999).Draw(t, "nanosecond")).In(zone)
}

func FuzzWriter(f *testing.F) {
	all := packs(f)
	names := []string{"payloads", "box", "shipment"}
	for i := range names {
		for st := range byte(10) {
			f.Add(byte(i), st, byte(0), byte(0xff), uint64(st), uint64(i), int64(1757000000000), int64(-1))
			f.Add(byte(i), st, st, st, ^uint64(0), uint64(1)<<63, int64(-62135596800000), int64(st)*1000)
		}
	}
	f.Fuzz(func(t *testing.T, which, state, previous, toward byte, seed, index uint64, start, moment int64) {
		c := all[names[int(which)%len(names)]]
		states := everyState(c)
		st := states[int(state)%len(states)]
		o := payment.Options{Seed: seed, Index: index, Start: time.UnixMilli(start)}
		if int(toward) < len(states) {
			o.Toward = states[toward:]
		}
		if moment >= 0 {
			o.Moments = map[*contract.State]time.Duration{st: time.Duration(moment)}
		}
		w := generate.NewWriter(c)
		checkWriter(t, c, w, o, st, append(states, nil)[int(previous)%(len(states)+1)])
		o.Index++
		checkWriter(t, c, w, o, st, nil)
		o.Index--
		checkWriter(t, c, w, o, st, nil)
	})
}

// TestWriterDoesNotAllocate also shows that no state of these packs is left to
// Payload.
func TestWriterDoesNotAllocate(t *testing.T) {
	for name, c := range packs(t) {
		w, dst := generate.NewWriter(c), make([]byte, 0, 8192)
		for _, st := range c.States() {
			o := payment.Options{Start: c.Epoch, Toward: []*contract.State{st}, Moments: map[*contract.State]time.Duration{st: time.Hour}}
			write := func() {
				var err error
				if dst, err = w.Append(dst[:0], o, st); err != nil {
					t.Fatal(err)
				}
				o.Index++
			}
			for range 1000 {
				write()
			}
			if n := testing.AllocsPerRun(1000, write); n > 0 {
				t.Errorf("%s, %s: %v allocations a payload", name, st, n)
			}
		}
	}
}

// TestWriterOfReason gives what decides whether a payment's amounts differ, which
// is written as fast as other facts.
func TestWriterOfReason(t *testing.T) {
	c := pack(t)
	for _, reason := range []string{"transaction_expired", "amount_mismatch"} {
		given := map[*contract.Fact]jsondoc.Value{c.Fact("reason"): jsondoc.StringValue(reason)}
		w, dst := generate.NewWriterOf(c, given), make([]byte, 0, 8192)
		for _, st := range c.States() {
			o := payment.Options{Start: c.Epoch, Toward: c.States()}
			write := func() {
				dst, _ = w.Append(dst[:0], o, st)
				o.Index++
			}
			for range 100 {
				plain := o
				plain.Facts = given
				checkWriters(t, c, w, o, plain, st, nil)
				write()
			}
			for range 1000 {
				write()
			}
			if n := testing.AllocsPerRun(100, write); n > 0 {
				t.Errorf("%s: %v allocations a payload", st, n)
			}
		}
	}
}

// TestWriterOnOtherPacks gives it samples that could be taken for its marks, and
// generators that it leaves to Payload.
func TestWriterOnOtherPacks(t *testing.T) {
	const sample, size = `"boxId": "b-1", "size": "1.0"`, `"size": {"$ref": "facts.json#/$defs/size"}`
	const relation = `"different": ["size", "copy"], "when": {"size": "1.0"}`
	full := []string{
		sample, sample + `, "copy": "1.0", "half": "0.5", "text": "t", "colour": "red", "count": 2`,
		size, size + `, "copy": {"$ref": "facts.json#/$defs/copy"}, "half": {"$ref": "facts.json#/$defs/half"}, "text": {"$ref": "facts.json#/$defs/text"},
			"colour": {"$ref": "facts.json#/$defs/colour"}, "count": {"$ref": "facts.json#/$defs/count"}`,
	}
	for name, x := range map[string]struct {
		replace   []string
		allocates bool
	}{
		"a condition on what is drawn": {full, true},
		"no condition":                 {append(full, relation, `"different": ["size", "copy"]`), false},
		"a condition on what is given": {append(full, relation, `"different": ["size", "copy"], "when": {"event": "box.changed"}`), false},
		"a text of the state":          {append(full, relation, `"different": ["size", "half"]`, `"{size/2} of {boxId}"`, `"{was}, {foldedAt}"`), true},
		"a condition on such a text":   {append(full, relation, `"different": ["size", "copy"], "when": {"text": "t"}`, `"{size/2} of {boxId}"`, `"{was}"`), true},
		"amounts of 30 digits":         {append(full, relation, `"different": ["size", "half"]`, `"max": "9"`, `"max": "999999999999999999999999999999"`), true},
		"marks in the state left":      {[]string{`"Folded"`, `"\u00000\u0000"`}, false},
		"marks in the sample": {[]string{
			sample, sample + `, "\u00000\u0000": "\u00001\u0000", "z": {"\\\\u0000": "\\u00002\\u0000", "b": "\u0000\u00003\u0000\u0000\u0000"}`,
		}, false},
		"names that ECMAScript puts first": {[]string{sample, `"x": [1.50, {"7": 1e3, "": 2}], "10": true, "9": null, ` + sample}, false},
		"a generator of the state left": {[]string{
			`"description": "the state before", "source": "manual", "scope": "event"`,
			`"description": "the state before", "source": "manual", "scope": "event", "generate": {"pick": ["x"]}`,
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := changed(t, "../contract/testdata/box", x.replace...)
			w, dst, st := generate.NewWriter(c), make([]byte, 0, 8192), c.Flow[1]
			o := payment.Options{Start: c.Epoch, Toward: c.States()}
			for o.Index = range 300 {
				for _, st := range everyState(c) {
					checkWriter(t, c, w, o, st, nil)
				}
			}
			n := testing.AllocsPerRun(100, func() { dst, _ = w.Append(dst[:0], o, st) })
			if (n > 0) != x.allocates {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

// changed is a pack from a folder, with texts in its files replaced: old, new, …
func changed(t *testing.T, folder string, replacements ...string) *contract.Contract {
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
		t.Fatal(err)
	}
	return c
}
