package contract

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/schema"
	"github.com/paytest/paytest/internal/signature"
	"github.com/paytest/paytest/internal/suggest"
)

const (
	contractFile = "contract.json"
	factsFile    = "facts.json"
	factsAt      = "/$defs/"

	lower  = "abcdefghijklmnopqrstuvwxyz"
	digits = "0123456789"

	maxFileBytes = 1 << 20
	maxStates    = 256
	maxEdges     = 64 // an edge set is one machine word
	maxRetries   = 20
	maxParts     = 10_000 // that are looked at for the fields of a state; references can lead to one many times
)

// ConformFolder is the pack's folder that describes the cases of an endpoint's
// conformance; Load leaves it alone.
const ConformFolder = "conform"

// Load reads a pack: contract.json, facts.json and SUBJECT/STATE.json for each
// state. A pack that does not hold together is refused with a *LoadError that
// names the file and the place in it.
func Load(fsys fs.FS) (*Contract, error) { return load(fsys, true) }

// Lint reads a pack as Load does, and returns all that keeps it from being loaded
// and can be told at once: what depends on a part that is wrong is not looked at.
// Without a problem the Contract is what Load returns.
func Lint(fsys fs.FS) (*Contract, []error) {
	l := newLoader(fsys)
	l.linting = true
	l.load(true)
	if l.err != nil {
		return nil, l.found
	}
	return l.c, nil
}

// Open reads a pack that Load is known to accept. It is as Load, but compiles a
// schema and finds a state's fields when they are first asked for, and looks for
// nothing that is wrong in what takes them. What is panics then with its *LoadError.
func Open(fsys fs.FS) (*Contract, error) { return load(fsys, false) }

func load(fsys fs.FS, whole bool) (*Contract, error) {
	l := newLoader(fsys)
	l.load(whole)
	if l.err != nil {
		return nil, l.err
	}
	return l.c, nil
}

func newLoader(fsys fs.FS) *loader {
	l := &loader{
		fs:        fsys,
		c:         &Contract{facts: map[string]*Fact{}, events: map[string][]*State{}},
		resources: schema.Resources{},
	}
	l.buf.Grow(1 << 14)
	return l
}

func (l *loader) load(whole bool) {
	l.whole = whole
	l.contract()
	l.facts()
	l.states()
	l.gate()
	l.compile()
	l.gate()
	l.link()
	l.graph()
	if whole {
		l.check()
	}
	l.apart(func() {})
	l.gate()
}

// apart does a part of the work that no other part of the same stage needs. When
// linting, its failure is kept, and the next part is looked at.
func (l *loader) apart(part func()) {
	part()
	if l.linting && l.err != nil && !l.closed {
		l.found = append(l.found, l.err)
		l.err = nil
	}
}

// gate ends a stage: what comes needs all of it.
func (l *loader) gate() {
	if len(l.found) > 0 && !l.closed {
		l.err, l.closed = l.found[0], true
	}
}

type loader struct {
	fs        fs.FS
	c         *Contract
	resources schema.Resources
	root      node // of contract.json
	files     map[*State]node
	buf       bytes.Buffer
	in        *container // of the node that was last looked into
	reader    jsondoc.Reader
	err       error
	looked    int // how many parts of the state's schema were

	whole   bool // schemas are compiled, and fields found, at once
	linting bool
	found   []error // when linting
	closed  bool    // what follows needs what was not found
}

func (l *loader) read(file string) node {
	n := node{load: l, file: file}
	if l.err != nil {
		return n
	}
	raw, err := l.bytes(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := fs.Stat(l.fs, "."); errors.Is(err, fs.ErrNotExist) {
			n.fail("the pack's folder does not exist")
		}
		n.fail("there is no such file in the pack")
		return n
	case err != nil:
		n.fail("cannot be read: %v", err)
		return n
	}
	v, err := l.reader.Parse(raw)
	if err != nil {
		n.fail("%v", err)
		return n
	}
	n.v = &v
	l.resources[file] = v
	return n
}

// bytes returns what a file holds, until the next one is read.
func (l *loader) bytes(file string) ([]byte, error) {
	f, err := l.fs.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	l.buf.Reset()
	if _, err := l.buf.ReadFrom(io.LimitReader(f, maxFileBytes+1)); err != nil {
		return nil, err
	}
	if l.buf.Len() > maxFileBytes {
		return nil, fmt.Errorf("it is larger than %d bytes", maxFileBytes)
	}
	return l.buf.Bytes(), nil
}

func (l *loader) contract() {
	n := l.read(contractFile)
	l.root = n
	l.apart(func() {
		n.object("name", "version", "envelope", "subjects", "delivery", "signature", "answers", "roles", "statistics", "flow", "epoch")
	})
	if n.v == nil {
		l.gate()
		return
	}
	l.apart(func() { l.c.Name, l.c.Version = n.child("name").text(), n.child("version").optionalText() })
	l.apart(func() { l.envelope(n.child("envelope")) })
	before := len(l.found)
	l.apart(func() { l.subjects(n.child("subjects")) })
	if len(l.found) > before {
		l.gate() // facts and states belong to subjects
	}
	l.apart(func() { l.delivery(n.child("delivery")) })
	l.apart(func() { l.signature(n.child("signature")) })
	l.apart(func() { l.answers(n.child("answers")) })
	l.apart(func() { l.epoch(n.child("epoch")) })
}

func (l *loader) epoch(n node) {
	t, err := time.Parse(time.RFC3339Nano, n.text())
	if err != nil {
		n.fail("is no RFC 3339 time")
	}
	l.c.Epoch = t.UTC()
}

func (l *loader) envelope(n node) {
	if !n.object("event", "state", "previousState") {
		return
	}
	l.c.Envelope = Envelope{n.child("event").pointer(), n.child("state").pointer(), n.child("previousState").pointer()}
}

func (l *loader) subjects(n node) {
	for _, s := range n.members() {
		if !s.object("id", "meaning", "initial") {
			return
		}
		l.word(s, s.name)
		sub := &Subject{Name: s.name, Meaning: s.child("meaning").text()}
		in := s.child("initial")
		if !in.object("name", "state", "meaning", "source", "derived") {
			return
		}
		sub.Initial = &State{
			Subject: sub, File: contractFile,
			Name: in.child("name").text(), Wire: in.child("state").optionalText(),
			Meaning: in.child("meaning").text(),
		}
		l.word(in.child("name"), sub.Initial.Name)
		sub.Initial.Source, sub.Initial.Derived = in.basis()
		l.c.Subjects = append(l.c.Subjects, sub)
	}
	if len(l.c.Subjects) == 0 {
		n.fail("names no subject")
	}
}

// word refuses names that a user could not type or that two file systems would
// not tell apart.
func (l *loader) word(n node, name string) {
	if l.err == nil && (name == "" || name[0] < 'a' || name[0] > 'z' || strings.Trim(name, lower+digits+"-") != "") {
		n.fail("%q is no name: it takes lower-case letters, digits and hyphens", name)
	}
}

func (l *loader) delivery(n node) {
	if !n.object("success", "timeout", "backoff", "source", "derived") {
		return
	}
	for _, s := range n.child("success").items() {
		l.c.Delivery.Success = append(l.c.Delivery.Success, s.integer(100, 599))
	}
	if len(l.c.Delivery.Success) == 0 {
		n.child("success").fail("names no status")
	}
	l.c.Delivery.Timeout = n.child("timeout").duration()
	if l.err == nil && l.c.Delivery.Timeout == 0 {
		n.child("timeout").fail("is zero")
	}
	if b := n.child("backoff"); b.exists() {
		for _, x := range b.items() {
			l.c.Delivery.Backoff = append(l.c.Delivery.Backoff, x.duration())
		}
	}
	if len(l.c.Delivery.Backoff) > maxRetries {
		n.child("backoff").fail("names %d retries; at most %d are made", len(l.c.Delivery.Backoff), maxRetries)
	}
	l.c.Delivery.Source, _ = n.basis()
}

func (l *loader) signature(n node) {
	if !n.exists() || !n.object("scheme", "header", "prefix", "encoding", "answer", "source", "derived") {
		return
	}
	s := &Signature{Scheme: n.scheme()}
	s.Header = s.Scheme.Header()
	s.Answer = l.answer(n.child("answer"))
	s.Source, _ = n.basis()
	l.c.Signature = s
}

// scheme reads the name of a well-known scheme, or a header and how the
// HMAC-SHA256 of the body stands in it.
func (n node) scheme() signature.Scheme {
	name := n.child("scheme")
	if !name.exists() {
		return n.headerScheme()
	}
	for _, other := range []string{"header", "prefix", "encoding"} {
		if x := n.child(other); x.exists() {
			x.fail("stands beside \"scheme\", which already says it: leave one of them out")
		}
	}
	s, ok := signature.Named(name.text())
	if !ok {
		name.fail("is %q, which is no scheme%s", name.v.Text, suggest.Among(name.v.Text, "schemes", signature.Names()))
	}
	return s
}

func (n node) headerScheme() signature.Scheme {
	header, prefix, encoding := n.child("header").text(), n.child("prefix").optionalText(), signature.Hex
	if n.load.err == nil && strings.Trim(strings.ToLower(header), lower+digits+"-") != "" {
		n.child("header").fail("is %q; it takes the name of an HTTP header", header)
	}
	if strings.ContainsFunc(prefix, func(r rune) bool { return r <= ' ' || r > '~' }) {
		n.child("prefix").fail("is %q; it takes visible ASCII characters, such as sha256=", prefix)
	}
	if e := n.child("encoding"); e.exists() {
		encoding = signature.Encoding(e.text())
		if encoding != signature.Hex && encoding != signature.Base64 {
			e.fail("is %q; it takes %s or %s", encoding, signature.Hex, signature.Base64)
		}
	}
	return signature.HMACHeader(header, prefix, encoding)
}

func (l *loader) answers(n node) {
	a := &l.c.Answers
	byName := map[string]*Answer{
		"ok": &a.OK, "duplicate": &a.Duplicate, "wrongEvent": &a.WrongEvent, "invalid": &a.Invalid, "conflict": &a.Conflict,
	}
	all := []string{"ok", "duplicate", "wrongEvent", "invalid", "conflict"}
	if !n.object(append(all, "broken")...) {
		return
	}
	for _, name := range all {
		*byName[name] = l.answer(n.child(name))
	}
	if broken := n.child("broken"); broken.exists() {
		a.Broken = l.answer(broken)
	}
}

func (l *loader) answer(n node) Answer {
	if !n.object("status", "body", "source", "derived") || !n.child("body").kind(jsondoc.Object) {
		return Answer{}
	}
	a := Answer{Status: n.child("status").integer(200, 599), Body: *n.child("body").v}
	a.Source, a.Derived = n.basis()
	return a
}

func (l *loader) states() {
	l.files = map[*State]node{}
	if l.err != nil {
		return
	}
	top, err := fs.ReadDir(l.fs, ".")
	if err != nil {
		node{load: l, file: "."}.fail("cannot be read: %v", err)
		return
	}
	for _, d := range top {
		switch {
		case d.IsDir() && d.Name() != ConformFolder && l.c.Subject(d.Name()) == nil:
			l.apart(func() { l.strayFolder(d.Name()) })
		case !d.IsDir() && path.Ext(d.Name()) == ".json" && d.Name() != contractFile && d.Name() != factsFile:
			l.apart(func() {
				node{load: l, file: d.Name()}.fail("is no file of a contract: it takes %s, %s and SUBJECT/STATE.json", contractFile, factsFile)
			})
		}
	}
	for _, s := range l.c.Subjects {
		l.apart(func() { l.folder(s) })
	}
}

// strayFolder refuses a folder that holds states of a subject nobody declared.
func (l *loader) strayFolder(name string) {
	entries, err := fs.ReadDir(l.fs, name)
	if err != nil {
		return
	}
	for _, e := range entries {
		if path.Ext(e.Name()) == ".json" {
			node{load: l, file: path.Join(name, e.Name())}.fail("belongs to no subject of %s%s", contractFile, suggest.DidYouMean(name, l.c.SubjectNames()))
			return
		}
	}
}

func (l *loader) folder(s *Subject) {
	entries, err := fs.ReadDir(l.fs, s.Name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		node{load: l, file: s.Name}.fail("cannot be read: %v", err)
	}
	files := 0
	for _, e := range entries {
		if e.IsDir() || path.Ext(e.Name()) != ".json" || l.err != nil {
			continue
		}
		if len(l.files) == maxStates {
			node{load: l, file: s.Name}.fail("holds more than %d states", maxStates)
			return
		}
		files++
		l.apart(func() { l.state(s, path.Join(s.Name, e.Name())) })
	}
	if l.err == nil && files == 0 {
		node{load: l, file: s.Name}.fail("holds no state: a subject has a file for each state that an event leads to")
	}
}

func (l *loader) state(s *Subject, file string) {
	n := l.read(file)
	st := &State{Subject: s, File: file, Name: strings.TrimSuffix(path.Base(file), ".json")}
	l.word(n, st.Name)
	if !n.object("event", "path", "state", "from", "at", "late", "source", "derived", "relations", "sample", "schema") {
		return
	}
	st.Event, st.Path, st.Wire = n.child("event").text(), n.child("path").text(), n.child("state").text()
	if l.err == nil && !isPath(st.Path) {
		n.child("path").fail("is %q; it takes an absolute URL path such as /callback/update", st.Path)
	}
	st.At = n.child("at").duration()
	if late := n.child("late"); late.exists() {
		st.Late = late.duration()
	}
	st.Source, st.Derived = n.basis()
	if !n.child("sample").kind(jsondoc.Object) || !n.child("schema").kind(jsondoc.Object) {
		return
	}
	st.Sample = *n.child("sample").v
	l.twins(n, st)
	s.States = append(s.States, st)
	l.c.events[st.Event] = append(l.c.events[st.Event], st)
	l.files[st] = n
}

// isPath reports whether s is an absolute URL path of plain segments.
func isPath(s string) bool {
	for segment := range strings.SplitSeq(strings.TrimPrefix(s, "/"), "/") {
		if segment == "" || strings.Trim(segment, lower+strings.ToUpper(lower)+digits+"._~-") != "" {
			return false
		}
	}
	return strings.HasPrefix(s, "/")
}

// twins refuses a second file for one state: neither names nor spellings may
// be ambiguous inside a subject, nor an event and its state inside the pack.
func (l *loader) twins(n node, st *State) {
	if l.err != nil {
		return
	}
	for _, other := range append([]*State{st.Subject.Initial}, st.Subject.States...) {
		if strings.EqualFold(other.Name, st.Name) || other.Wire == st.Wire {
			n.child("state").fail("is %q, which %s already defines: one state, one file", st.Wire, other.File)
		}
	}
	for _, other := range l.c.events[st.Event] {
		if other.Wire == st.Wire {
			n.child("state").fail("is %q for the event %s, which %s already defines: one state, one file", st.Wire, st.Event, other.File)
		}
		if other.Path != st.Path {
			n.child("path").fail("is %q, but %s delivers the event %s to %q: one event, one path", st.Path, other.File, st.Event, other.Path)
		}
	}
}
