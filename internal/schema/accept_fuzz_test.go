package schema_test

import "testing"

// FuzzAccept holds acceptors of all kinds against the evaluator: what they accept is valid, and the slots are exact.
func FuzzAccept(f *testing.F) {
	var subjects []subject
	for _, c := range packs(f) {
		for _, st := range c.States() {
			f.Add(uint8(len(subjects)), made(f, c, st, 7))
			f.Add(uint8(len(subjects)), st.Sample.AppendLiteral(nil))
			subjects = append(subjects, stateSubject(f, c, st))
		}
	}
	known := map[string]int{}
	for _, form := range forms() {
		at, found := known[form.schema]
		if !found {
			at = len(subjects)
			known[form.schema] = at
			subjects = append(subjects, formSubject(f, form.schema))
		}
		f.Add(uint8(at), []byte(form.document))
	}
	if len(subjects) > 256 {
		f.Fatal("a byte cannot choose among so many")
	}
	f.Fuzz(func(t *testing.T, which uint8, raw []byte) {
		s := subjects[int(which)%len(subjects)]
		s.holds(t, raw)
	})
}
