package contract

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/suggest"
)

// LoadError is why a pack is refused: the file, the JSON pointer inside it and
// what is wrong there.
type LoadError struct {
	File    string
	Pointer jsondoc.Pointer
	Message string
}

func (e *LoadError) Error() string {
	if len(e.Pointer) == 0 {
		return fmt.Sprintf("contract: %s: %s", e.File, e.Message)
	}
	return fmt.Sprintf("contract: %s: %s: %s", e.File, e.Pointer, e.Message)
}

// node is a value of a pack's file, with its place. The first failure sticks in
// the loader; after it every read returns a zero value.
type node struct {
	load *loader
	file string
	in   *container // nil for all that the file holds
	name string     // in there
	v    *jsondoc.Value
}

// container is where an object or an array stands.
type container struct {
	in   *container
	name string
}

// at is the node's place as a pointer.
func (n node) at() jsondoc.Pointer {
	if n.in == nil {
		return nil
	}
	at := jsondoc.Pointer{n.name}
	for p := n.in; p.in != nil; p = p.in {
		at = append(at, p.name)
	}
	slices.Reverse(at)
	return at
}

func (n node) fail(format string, args ...any) {
	if n.load.err == nil {
		n.load.err = &LoadError{n.file, n.at(), fmt.Sprintf(format, args...)}
	}
}

func (n node) child(name string) node {
	if n.v == nil {
		return n.below(name, nil)
	}
	return n.below(name, n.v.Member(name))
}

// below is a value inside this one. The values of one object are mostly asked for
// one after the other, and share its place.
func (n node) below(name string, v *jsondoc.Value) node {
	if in := n.load.in; in == nil || in.in != n.in || in.name != n.name {
		n.load.in = &container{n.in, n.name}
	}
	return node{n.load, n.file, n.load.in, name, v}
}

// down follows a pointer.
func (n node) down(at ...string) node {
	for _, name := range at {
		n = n.child(name)
	}
	return n
}

func (n node) exists() bool { return n.v != nil }

// kind reports whether the value is there and of that kind, and fails if not.
func (n node) kind(k jsondoc.Kind) bool {
	switch {
	case n.v == nil:
		n.fail("is missing; it takes a JSON %s", k)
	case n.v.Kind != k:
		n.fail("is a JSON %s; it takes a JSON %s", n.v.Kind, k)
	default:
		return n.load.err == nil
	}
	return false
}

// object checks that the value is an object with no other members than these.
func (n node) object(allowed ...string) bool {
	if !n.kind(jsondoc.Object) {
		return false
	}
	for i := range n.v.Members {
		if m := &n.v.Members[i]; !contains(allowed, m.Name) {
			n.child(m.Name).fail("is no field of a contract%s", suggest.DidYouMean(m.Name, allowed))
			return false
		}
	}
	return true
}

func (n node) members() []node {
	if !n.kind(jsondoc.Object) {
		return nil
	}
	out := make([]node, len(n.v.Members))
	for i := range n.v.Members {
		m := &n.v.Members[i]
		out[i] = n.below(m.Name, &m.Value)
	}
	return out
}

func (n node) items() []node {
	if !n.kind(jsondoc.Array) {
		return nil
	}
	out := make([]node, len(n.v.Items))
	for i := range n.v.Items {
		out[i] = n.below(strconv.Itoa(i), &n.v.Items[i])
	}
	return out
}

func (n node) text() string {
	if !n.kind(jsondoc.String) {
		return ""
	}
	if n.v.Text == "" {
		n.fail("is empty")
	}
	return n.v.Text
}

func (n node) optionalText() string {
	if !n.exists() {
		return ""
	}
	return n.text()
}

func (n node) integer(low, high int) int {
	if !n.kind(jsondoc.Number) {
		return 0
	}
	i, err := strconv.Atoi(n.v.Text)
	if err != nil || i < low || i > high {
		n.fail("is %s; it takes an integer from %d to %d", n.v.Text, low, high)
		return 0
	}
	return i
}

func (n node) duration() time.Duration {
	s := n.text()
	if s == "" {
		return 0
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		n.fail("is %q; it takes a duration such as 5s or 14m52.5s", s)
	}
	return d
}

// decimal reads a decimal string such as "0.5".
func (n node) decimal() string {
	s := n.text()
	whole, fraction, pointed := strings.Cut(s, ".")
	plain := whole != "" && len(whole) <= 30 && strings.Trim(whole, digits) == "" && (whole == "0" || whole[0] != '0') &&
		(!pointed || fraction != "" && len(fraction) <= 18 && strings.Trim(fraction, digits) == "")
	if s != "" && !plain {
		n.fail("is %q; it takes a decimal number in a string, such as \"1350\" or \"0.5\"", s)
	}
	return s
}

// divisor reads a decimal string that is not zero.
func (n node) divisor() string {
	s := n.decimal()
	if s != "" && strings.Trim(s, "0.") == "" {
		n.fail("is zero")
	}
	return s
}

func (n node) pointer() jsondoc.Pointer {
	s := n.text()
	if s == "" {
		return nil
	}
	p, err := jsondoc.ParsePath(s)
	if err != nil {
		n.fail("%v", err)
	}
	return p
}

// basis reads a "source" and a "derived", at least one of which must be there.
func (n node) basis() (source, derived string) {
	source, derived = n.child("source").optionalText(), n.child("derived").optionalText()
	if source == "" && derived == "" {
		n.fail(`has neither "source" nor "derived": say which document defines it, or why it was decided so`)
	}
	return source, derived
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
