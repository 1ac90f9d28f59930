package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const module = "github.com/paytest/paytest"

// room is a package of the module and what its code, tests aside, imports.
type room struct {
	ImportPath string
	Imports    []string
}

// arrows says which rooms a room may look into. Arrows point down only: a room
// is drawn after those above it, and looks into rooms that are drawn after it.
func arrows() []struct{ from, to string } {
	return []struct{ from, to string }{
		{"cmd/paytest", "internal/cli payloads"},
		{"internal/tools/manpages", "internal/cli payloads"},
		{"internal/tools/verify", "internal/report"},
		{"internal/tools/mutate", ""},
		{"internal/tools/trust", ""},
		{"internal/cli", "internal/*"},
		{"internal/report", "internal/conform internal/load internal/contract internal/deliver internal/jsondoc internal/suggest internal/verify"},
		{"internal/inspect", "internal/contract internal/graph internal/jsondoc internal/journal internal/payment internal/verify"},
		{"internal/graph", "internal/contract internal/verify"},
		{"internal/load", "internal/contract internal/deliver internal/generate internal/jsondoc internal/payment internal/scenario internal/signature internal/suggest internal/verify"},
		{"internal/conform", "internal/contract internal/deliver internal/generate internal/journal internal/jsondoc internal/payment internal/scenario internal/signature internal/suggest internal/verify"},
		{"internal/publish", "internal/contract internal/generate internal/jsondoc internal/payment internal/schema internal/signature"},
		{"internal/author", "internal/contract internal/generate internal/jsondoc internal/payment internal/verify"},
		{"internal/compat", "internal/contract internal/jsondoc internal/schema"},
		{"internal/merchant", "internal/contract internal/jsondoc internal/payment internal/signature internal/suggest"},
		{"internal/scenario", "internal/contract internal/deliver internal/generate internal/journal internal/jsondoc internal/payment internal/signature internal/suggest internal/verify"},
		{"internal/listen", "internal/contract internal/deliver internal/generate internal/journal internal/jsondoc internal/payment internal/signature internal/suggest internal/verify"},
		{"internal/generate", "internal/contract internal/jsondoc internal/payment internal/schema internal/suggest"},
		{"internal/journal", "internal/contract internal/jsondoc internal/payment internal/schema internal/verify"},
		{"internal/verify", "internal/contract internal/jsondoc internal/payment internal/schema internal/suggest"},
		{"internal/payment", "internal/contract internal/jsondoc"},
		{"internal/contract", "internal/jsondoc internal/schema internal/signature internal/suggest"},
		{"internal/schema", "internal/jsondoc"},
		{"internal/signature", "internal/jsondoc internal/suggest"},
		{"internal/jsondoc", "internal/suggest"},
		{"internal/config", "internal/suggest"},
		{"internal/deliver", "internal/suggest"},
		{"internal/suggest", ""},
		{"payloads", ""},
	}
}

// owners says which rooms alone import a library.
func owners() map[string]string {
	return map[string]string{
		"github.com/spf13/cobra":        "internal/cli internal/tools/manpages",
		"github.com/spf13/pflag":        "internal/cli internal/tools/manpages",
		"github.com/spf13/viper":        "internal/config",
		"github.com/fatih/color":        "internal/report",
		"github.com/shopspring/decimal": "internal/payment",
	}
}

// testOnly lists the libraries that the binary must not carry: they would be in
// every release, and an init of one of them takes milliseconds of every start.
func testOnly() []string {
	return []string{
		"github.com/chromedp", "github.com/santhosh-tekuri/jsonschema", "github.com/google/go-cmp", "github.com/rogpeppe/go-internal",
		"go.uber.org/goleak", "pgregory.net/rapid", "github.com/yuin/goldmark", "github.com/creack/pty", "testing", "net/http/httptest",
	}
}

// broken says what is wrong with how rooms import each other and libraries.
func broken(rooms []room) []string {
	var faults []string
	for _, r := range rooms {
		name := strings.TrimPrefix(r.ImportPath, module+"/")
		may, drawn := reach(name)
		if !drawn {
			faults = append(faults, name+" is not in the drawing: say in arrows which rooms it may look into")
			continue
		}
		for _, path := range r.Imports {
			to, own := strings.CutPrefix(path, module+"/")
			if own && !slices.Contains(may, to) {
				faults = append(faults, fmt.Sprintf("%s imports %s: no arrow leads there", name, to))
			}
			if owner, lib := ownerOf(path); lib != "" && !slices.Contains(strings.Fields(owner), name) {
				faults = append(faults, fmt.Sprintf("%s imports %s: only %s may", name, lib, owner))
			}
		}
	}
	return faults
}

// reach returns the rooms that a room may look into.
func reach(name string) (may []string, drawn bool) {
	list := arrows()
	i := slices.IndexFunc(list, func(a struct{ from, to string }) bool { return a.from == name })
	if i < 0 {
		return nil, false
	}
	if list[i].to == "internal/*" {
		for _, below := range list[i+1:] {
			may = append(may, below.from)
		}
		return slices.DeleteFunc(may, func(s string) bool { return !strings.HasPrefix(s, "internal/") }), true
	}
	return strings.Fields(list[i].to), true
}

func ownerOf(path string) (owner, library string) {
	for lib, owner := range owners() {
		if within(path, lib) {
			return owner, lib
		}
	}
	return "", ""
}

// within reports whether a package belongs to a library, of whatever major version.
func within(path, library string) bool {
	return path == library || strings.HasPrefix(path, library+"/")
}

// linked lists the packages that a binary must not carry and does.
func linked(deps []string) []string {
	return slices.DeleteFunc(slices.Clone(deps), func(path string) bool {
		return !slices.ContainsFunc(testOnly(), func(lib string) bool { return within(path, lib) })
	})
}

// TestArrows reads the module as it is.
func TestArrows(t *testing.T) {
	rooms := list(t, "-json=ImportPath,Imports", module+"/...")
	if len(rooms) < 10 {
		t.Fatalf("go list found %d packages", len(rooms))
	}
	for _, fault := range broken(rooms) {
		t.Error(fault)
	}
}

// TestLinked reads what is linked into the binary.
func TestLinked(t *testing.T) {
	var deps []string
	for _, r := range list(t, "-deps", "-json=ImportPath", module+"/cmd/paytest") {
		deps = append(deps, r.ImportPath)
	}
	if !slices.Contains(deps, module+"/internal/cli") || !slices.Contains(deps, "net/http") {
		t.Fatalf("go list -deps found %d packages", len(deps))
	}
	for _, path := range linked(deps) {
		t.Errorf("%s is linked into the binary", path)
	}
}

func list(t *testing.T, args ...string) []room {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &errs)
	}
	var rooms []room
	for in := json.NewDecoder(bytes.NewReader(out)); ; {
		var r room
		switch err := in.Decode(&r); {
		case errors.Is(err, io.EOF):
			return rooms
		case err != nil:
			t.Fatal(err)
		}
		rooms = append(rooms, r)
	}
}

// TestBroken holds that these tests can fail: each fault is found in a module
// that has it.
func TestBroken(t *testing.T) {
	in := func(name string, imports ...string) []room { return []room{{module + "/" + name, imports}} }
	for _, test := range []struct {
		name  string
		rooms []room
		want  []string
	}{
		{"a sound room", in("internal/verify", "fmt", module+"/internal/contract", "github.com/hashicorp/golang-lru/v2"), nil},
		{"an owner", in("internal/config", "github.com/spf13/viper", "go.yaml.in/yaml/v3"), nil},
		{"one of two owners", in("internal/tools/manpages", "github.com/spf13/cobra", module+"/internal/cli"), nil},
		{"the command line looks anywhere", in("internal/cli", module+"/internal/listen", module+"/internal/suggest", "github.com/spf13/cobra"), nil},
		{"an arrow that points up", in("internal/contract", module+"/internal/verify"), []string{"internal/contract imports internal/verify: no arrow leads there"}},
		{"an arrow to the top", in("internal/listen", module+"/internal/cli"), []string{"internal/listen imports internal/cli: no arrow leads there"}},
		{"an arrow across", in("internal/deliver", module+"/internal/verify"), []string{"internal/deliver imports internal/verify: no arrow leads there"}},
		{"an arrow around the top", in("cmd/paytest", module+"/internal/listen"), []string{"cmd/paytest imports internal/listen: no arrow leads there"}},
		{"a second way to the contract", in("internal/cli", module+"/payloads"), []string{"internal/cli imports payloads: no arrow leads there"}},
		{"a room in a room", in("internal/verify", module+"/internal/contract/secret"), []string{"internal/verify imports internal/contract/secret: no arrow leads there"}},
		{"a room that nobody drew", in("internal/shed"), []string{"internal/shed is not in the drawing: say in arrows which rooms it may look into"}},
		{"a library with another owner", in("internal/cli", "github.com/spf13/viper"), []string{"internal/cli imports github.com/spf13/viper: only internal/config may"}},
		{"color", in("internal/listen", "github.com/fatih/color"), []string{"internal/listen imports github.com/fatih/color: only internal/report may"}},
		{"money", in("internal/verify", "github.com/shopspring/decimal"), []string{"internal/verify imports github.com/shopspring/decimal: only internal/payment may"}},
		{"commands", in("internal/report", "github.com/spf13/cobra/doc"), []string{"internal/report imports github.com/spf13/cobra: only internal/cli internal/tools/manpages may"}},
	} {
		if diff := cmp.Diff(test.want, broken(test.rooms)); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
	deps := []string{"fmt", "testing/fstest", "github.com/santhosh-tekuri/jsonschema/v6", "github.com/santhosh-tekuri/jsonschemas", "pgregory.net/rapid"}
	want := []string{"testing/fstest", "github.com/santhosh-tekuri/jsonschema/v6", "pgregory.net/rapid"}
	if diff := cmp.Diff(want, linked(deps)); diff != "" {
		t.Errorf("linked: %s", diff)
	}
}

// TestArrowsPointDown holds the drawing itself to its rule.
func TestArrowsPointDown(t *testing.T) {
	all := arrows()
	for i, from := range all {
		may, _ := reach(from.from)
		for _, to := range may {
			below := slices.IndexFunc(all, func(a struct{ from, to string }) bool { return a.from == to })
			if below <= i {
				t.Errorf("the arrow from %s to %s does not point down", from.from, to)
			}
		}
	}
}
