package jsondoc

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Pointer is a way from the top of a document to a value in it: member names and array indexes, unescaped. The empty Pointer is the whole
// document.
type Pointer []string

// String returns the pointer as RFC 6901 writes it.
func (p Pointer) String() string {
	var b strings.Builder
	for _, token := range p {
		b.WriteByte('/')
		if strings.ContainsAny(token, "~/") {
			token = strings.ReplaceAll(strings.ReplaceAll(token, "~", "~0"), "/", "~1")
		}
		b.WriteString(token)
	}
	return b.String()
}

// ParsePointer reads a JSON Pointer (RFC 6901) of at most MaxDepth tokens; "" is the whole document.
func ParsePointer(s string) (Pointer, error) {
	if s == "" {
		return nil, nil
	}
	if s[0] != '/' {
		return nil, fmt.Errorf("pointer %.80q does not start with /", s)
	}
	tokens := strings.SplitN(s[1:], "/", MaxDepth+1)
	if err := checkPath(s, tokens); err != nil {
		return nil, err
	}
	for i, token := range tokens {
		if !strings.Contains(token, "~") {
			continue
		}
		if strings.Contains(strings.NewReplacer("~0", "", "~1", "").Replace(token), "~") {
			return nil, fmt.Errorf("pointer %.80q has a ~ that is neither ~0 (a tilde) nor ~1 (a slash)", s)
		}
		tokens[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
	}
	return tokens, nil
}

// ParsePath reads a path as people write it: a JSON Pointer ("/data/customer/id") or names joined by dots ("data.customer.id",
// "items.0.id"), where \. is a dot inside a name and \\ a backslash. The path has 1 to MaxDepth tokens.
func ParsePath(s string) (Pointer, error) {
	if s == "" {
		return nil, fmt.Errorf("empty path: write it like data.customer.id or /data/customer/id")
	}
	if s[0] == '/' {
		return ParsePointer(s)
	}
	p, err := parseDotted(s)
	if err != nil {
		return nil, err
	}
	if err := checkPath(s, p); err != nil {
		return nil, err
	}
	return p, nil
}

func checkPath(s string, tokens []string) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("path %.80q is not UTF-8", s)
	}
	if len(tokens) > MaxDepth {
		return fmt.Errorf("path %.80q has more than %d parts", s, MaxDepth)
	}
	return nil
}

func parseDotted(s string) (Pointer, error) {
	var p Pointer
	var token []byte
	for i := 0; i <= len(s); i++ {
		switch {
		case i == len(s) || s[i] == '.':
			if len(token) == 0 {
				return nil, fmt.Errorf("path %.80q has an empty part: write it like data.customer.id, or as /data//id where a name is empty", s)
			}
			p = append(p, string(token))
			token = token[:0]
		case s[i] != '\\':
			token = append(token, s[i])
		case i+1 < len(s) && (s[i+1] == '.' || s[i+1] == '\\'):
			i++
			token = append(token, s[i])
		default:
			return nil, fmt.Errorf(`path %.80q has a backslash that escapes nothing: \. is a dot in a name, \\ a backslash`, s)
		}
	}
	return p, nil
}

// PathError says why an edit at a pointer is impossible. Its lists let a caller suggest what was meant.
type PathError struct {
	Pointer Pointer  // where the edit should have been
	Prefix  Pointer  // the deepest part of Pointer that exists
	Kind    Kind     // of the value at Prefix
	Members []string // names of the object at Prefix, in document order
	Length  int      // of the array at Prefix
	Reason  string
}

func (e *PathError) Error() string {
	return fmt.Sprintf("%.200q: %s", e.Pointer.String(), e.Reason)
}

// At returns the value at p, nil when there is none. An edit through the result edits v.
func (v *Value) At(p Pointer) *Value {
	found, rest := v.deepest(p)
	if len(rest) > 0 {
		return nil
	}
	return found
}

// deepest follows p as far as it exists and returns the last value and the tokens left.
func (v *Value) deepest(p Pointer) (*Value, Pointer) {
	for i, token := range p {
		next := v.child(token)
		if next == nil {
			return v, p[i:]
		}
		v = next
	}
	return v, nil
}

func (v *Value) child(token string) *Value {
	switch v.Kind {
	case Object:
		return v.Member(token)
	case Array:
		if i, ok := arrayIndex(token); ok && i < len(v.Items) {
			return &v.Items[i]
		}
	case Null, Bool, Number, String:
	}
	return nil
}

// arrayIndex reads an RFC 6901 array index: no sign, no leading zero.
func arrayIndex(token string) (int, bool) {
	if token == "" || len(token) > 9 || len(token) > 1 && token[0] == '0' {
		return 0, false
	}
	for i := range len(token) {
		if token[i] < '0' || token[i] > '9' {
			return 0, false
		}
	}
	i, err := strconv.Atoi(token)
	return i, err == nil
}

// Set replaces the value at p, which must exist. The error is a *PathError and leaves v as it was.
func (v *Value) Set(p Pointer, nv Value) error {
	found, rest := v.deepest(p)
	if len(rest) > 0 {
		return missing(p, found, rest)
	}
	if len(p)+nv.depth() > MaxDepth {
		return tooDeep(p, found, rest)
	}
	*found = nv
	return nil
}

// Add replaces the value at p or adds it, creating the objects missing on the way. In an array the index that is its length, or "-",
// appends. The error is a *PathError and leaves v as it was.
func (v *Value) Add(p Pointer, nv Value) error {
	found, rest := v.deepest(p)
	if len(p)+nv.depth() > MaxDepth {
		return tooDeep(p, found, rest)
	}
	if len(rest) == 0 {
		*found = nv
		return nil
	}
	for i := len(rest) - 1; i > 0; i-- {
		nv = ObjectValue(Member{Name: rest[i], Value: nv})
	}
	switch {
	case found.Kind == Object:
		found.Members = append(slices.Clip(found.Members), Member{Name: rest[0], Value: nv})
	case found.Kind == Array && (rest[0] == "-" || rest[0] == strconv.Itoa(len(found.Items))):
		found.Items = append(slices.Clip(found.Items), nv)
	default:
		return missing(p, found, rest)
	}
	return nil
}

// Remove takes the member or item at p out; the items after it move up. The error is a *PathError and leaves v as it was.
func (v *Value) Remove(p Pointer) error {
	if len(p) == 0 {
		return &PathError{Kind: v.Kind, Reason: "the whole document cannot be removed"}
	}
	last := len(p) - 1
	parent, rest := v.deepest(p[:last])
	switch {
	case len(rest) > 0 || parent.child(p[last]) == nil:
		return missing(p, parent, p[last-len(rest):])
	case parent.Kind == Array:
		i, _ := arrayIndex(p[last])
		parent.Items = slices.Delete(slices.Clone(parent.Items), i, i+1)
	default:
		i := slices.IndexFunc(parent.Members, func(m Member) bool { return m.Name == p[last] })
		parent.Members = slices.Delete(slices.Clone(parent.Members), i, i+1)
	}
	return nil
}

func newPathError(p Pointer, found *Value, rest Pointer) *PathError {
	e := &PathError{Pointer: p, Prefix: p[:len(p)-len(rest)], Kind: found.Kind, Length: len(found.Items)}
	for i := range found.Members {
		e.Members = append(e.Members, found.Members[i].Name)
	}
	return e
}

func tooDeep(p Pointer, found *Value, rest Pointer) *PathError {
	e := newPathError(p, found, rest)
	e.Reason = fmt.Sprintf("the value there would be more than %d arrays and objects deep", MaxDepth)
	return e
}

func missing(p Pointer, found *Value, rest Pointer) *PathError {
	e := newPathError(p, found, rest)
	where := "the document"
	if len(e.Prefix) > 0 {
		where = fmt.Sprintf("%.200q", e.Prefix.String())
	}
	switch found.Kind {
	case Object:
		e.Reason = fmt.Sprintf("%s has no member %.80q", where, rest[0])
	case Array:
		e.Reason = fmt.Sprintf("%s is an array of %d: %.80q is not an index in it", where, e.Length, rest[0])
	case Null, Bool, Number, String:
		e.Reason = fmt.Sprintf("%s is a %s and has nothing inside it", where, found.Kind)
	}
	return e
}
