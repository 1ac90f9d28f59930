package author_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/author"
	"github.com/paytest/paytest/payloads"
)

// scaffold is a copy of the pack to start from, to be spoiled.
func scaffold(t *testing.T) fstest.MapFS {
	t.Helper()
	files, err := author.Scaffold()
	if err != nil {
		t.Fatal(err)
	}
	out := fstest.MapFS{}
	if err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(files, name)
		out[name] = &fstest.MapFile{Data: raw}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestClean(t *testing.T) {
	for name, pack := range map[string]fs.FS{"the scaffold": scaffold(t), "the built-in pack": payloads.FS} {
		for _, r := range author.Lint(pack) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// TestLint spoils the scaffold in one place, and holds what is said of it.
func TestLint(t *testing.T) {
	const paid = "order/paid.json"
	for _, test := range []struct {
		name, file, old, with string
		problem               bool
		where, message        string
	}{
		{"refused", "contract.json", `"success"`, `"succes"`, true, "contract.json/delivery/succes", "did you mean success"},
		{"unsigned", "contract.json", `"signature": {
    "scheme": "standard-webhooks",
    "answer": {"status": 401, "body": {"error": "invalid signature"}, "derived": "the documents name no answer"},
    "source": "provider/webhooks"
  },
  `, "", false, "contract.json", "can forge events"},
		{"no roles", "contract.json", `"roles": {
    "states": {"pending": "order/pending", "paid": "order/paid", "failed": "order/failed"},
    "facts": {"price": "amount", "customer": "customerId", "reason": "reason", "moment": "occurredAt"}
  },
  `, "", false, "contract.json", `has no "roles"`},
		{"an answer that fails", "contract.json", `"ok": {"status": 200`, `"ok": {"status": 204`, false, "contract.json/answers/ok/status", "is delivered again"},
		{"a refusal that succeeds", "contract.json", `"conflict": {"status": 409`, `"conflict": {"status": 200`, false, "contract.json/answers/conflict/status", "never delivered again"},
		{"an unused fact", "facts.json", `"amount": {`, `"tip": {"type": "string", "description": "a tip", "source": "x", "scope": "order"}, "amount": {`, false, "facts.json/$defs/tip", "no event carries it"},
		{"one order for all", "facts.json", `,
      "generate": {"uuid": {}}`, "", false, "facts.json/$defs/orderId", `has no "generate"`},
		{"an undeclared member", paid, `"amount": "49.50"`, `"amount": "49.50", "note": "x"`, false, paid + "/sample/data/note", "not in the schema"},
		{"before what leads to it", paid, `"at": "3m"`, `"at": "30s"`, false, paid + "/at", "happens at 1m0s"},
		{"what cannot be made", "facts.json", `"places": 2}`, `"places": 3}`, true, "order/pending.json", "/data/amount"},
		{"samples that contradict each other", paid, `"customer_id": "cus_0042"`, `"customer_id": "cus_0043"`, true, "contract.json/flow/states/1", "contradicts those before it"},
	} {
		t.Run(test.name, func(t *testing.T) {
			pack := scaffold(t)
			was := string(pack[test.file].Data)
			if strings.Count(was, test.old) != 1 {
				t.Fatalf("%q stands there %d times", test.old, strings.Count(was, test.old))
			}
			pack[test.file] = &fstest.MapFile{Data: []byte(strings.Replace(was, test.old, test.with, 1))}
			all := author.Lint(pack)
			if len(all) == 0 {
				t.Fatal("nothing is said")
			}
			r := all[0]
			if diff := cmp.Diff(test.where, r.File+r.Pointer.String()); diff != "" || r.Problem != test.problem || !strings.Contains(r.Message, test.message) {
				t.Errorf("%+v %s", all, diff)
			}
		})
	}
}
