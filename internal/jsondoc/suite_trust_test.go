package jsondoc_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/tools/trust"
)

// suiteCase is a case of JSONTestSuite: y must be accepted, n refused, and of i
// the standard leaves it open.
type suiteCase struct {
	name string
	kind byte
	raw  []byte
}

func suiteCases(t testing.TB) []suiteCase {
	t.Helper()
	files, err := filepath.Glob("testdata/JSONTestSuite/test_parsing/*.json")
	if err != nil || len(files) != 316 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	out := []suiteCase{
		{"n_structure_100000_opening_arrays.json", 'n', []byte(strings.Repeat("[", 100_000))},
		{"n_structure_open_array_object.json", 'n', []byte(strings.Repeat(`[{"":`, 50_000) + "\n")},
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		out = append(out, suiteCase{name, name[0], raw})
	}
	return out
}

// twice are the sound documents that are refused all the same: a key in them comes
// twice, of which every reader makes something else.
func twice() []string {
	return []string{"y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"}
}

// misread holds a parser against the suite, and returns what it says wrongly.
func misread(cases []suiteCase, parse func([]byte) (jsondoc.Value, error)) (wrong []string) {
	for _, x := range cases {
		_, err := parse(x.raw)
		var refused *jsondoc.SyntaxError
		switch {
		case slices.Contains(twice(), x.name):
			if !errors.As(err, &refused) || refused.Code != jsondoc.CodeDuplicateKey {
				wrong = append(wrong, fmt.Sprintf("%s: %v", x.name, err))
			}
		case x.kind == 'y' && err != nil, x.kind == 'n' && !errors.As(err, &refused):
			wrong = append(wrong, fmt.Sprintf("%s: %v", x.name, err))
		case x.kind == 'i' && err == nil && !json.Valid(x.raw):
			wrong = append(wrong, x.name+": encoding/json refuses it")
		}
	}
	return wrong
}

// TestTrustJSONTestSuite reads every case of JSONTestSuite.
func TestTrustJSONTestSuite(t *testing.T) {
	cases := suiteCases(t)
	for _, wrong := range misread(cases, jsondoc.Parse) {
		t.Error(wrong)
	}
	for kind, what := range map[byte]string{'y': "accepted", 'n': "refused", 'i': "left open"} {
		count := 0
		for _, x := range cases {
			if x.kind == kind {
				count++
			}
		}
		trust.Figure(t, "cases to be "+what, count)
	}
}

// TestTrustJSONTestSuiteCatches holds that the test above fails for parsers that
// are wrong.
func TestTrustJSONTestSuiteCatches(t *testing.T) {
	cases := suiteCases(t)
	for name, parse := range map[string]func([]byte) (jsondoc.Value, error){
		"keeps the last of two keys": func(raw []byte) (jsondoc.Value, error) {
			v, err := jsondoc.Parse(raw)
			var refused *jsondoc.SyntaxError
			if errors.As(err, &refused) && refused.Code == jsondoc.CodeDuplicateKey {
				return v, nil
			}
			return v, err
		},
		"skips a byte order mark, and what follows the value": func(raw []byte) (jsondoc.Value, error) {
			var v any
			text := strings.TrimPrefix(string(raw), "\xef\xbb\xbf")
			if json.NewDecoder(strings.NewReader(text)).Decode(&v) == nil {
				return jsondoc.NullValue(), nil
			}
			return jsondoc.Parse(raw)
		},
		"takes a control character in a string": func(raw []byte) (jsondoc.Value, error) {
			return jsondoc.Parse([]byte(strings.ReplaceAll(string(raw), "\t", " ")))
		},
	} {
		if len(misread(cases, parse)) == 0 {
			t.Errorf("a parser that %s is not caught", name)
		} else {
			trust.Caught(t, name)
		}
	}
}
