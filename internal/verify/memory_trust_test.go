package verify_test

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/tools/trust"
	"github.com/paytest/paytest/internal/verify"
)

// saying is what a reference says of one event of a payment: judged, and what is
// wrong with an event that is not legal.
type saying struct {
	judged
	code    verify.Code
	pointer string
}

// plain is a reference that knows both machines of a payment, and every event that
// can be made up.
type plain struct {
	invoice, transaction *naive
}

// transfers are the ways a transaction can go.
const transfers = `unseen-created created-complete
unseen-created created-fail`

func newPlain() *plain {
	return &plain{invoice: newNaive(paths), transaction: newNaive(transfers)}
}

func (p *plain) copy() *plain {
	return &plain{invoice: p.invoice.copy(), transaction: p.transaction.copy()}
}

func (p *plain) key() string {
	return strings.Join(p.invoice.taken, " ") + "|" + strings.Join(p.transaction.taken, " ")
}

// judge says what is to be said of the next event, such as "invoice ready-pending".
func (p *plain) judge(event string) saying {
	subject, name, _ := strings.Cut(event, " ")
	from, to, _ := strings.Cut(name, "-")
	own := p.invoice
	if subject == "transaction" {
		own = p.transaction
	}
	switch {
	case to == "ready":
		return saying{code: verify.IllegalTransition, pointer: "/data/state"}
	case from == to:
		return saying{code: verify.SelfTransition, pointer: "/data/previousState"}
	case !own.knows(name):
		return saying{code: verify.IllegalTransition, pointer: "/data/previousState"}
	}
	got := own.copy().judge(name)
	if !got.ok {
		return saying{code: verify.Contradiction, pointer: "/data/state"}
	}
	const paid, lost = "pending-complete", "created-fail"
	if name == paid && slices.Contains(p.transaction.taken, lost) || name == lost && slices.Contains(p.invoice.taken, paid) {
		return saying{code: verify.ExcludedState, pointer: "/data/state"}
	}
	return saying{judged: own.judge(name)}
}

// alphabet is every event of one payment: each state of an invoice after each, and
// those of its transaction.
func alphabet(t *testing.T, c *contract.Contract) (names []string, raws [][]byte) {
	t.Helper()
	invoice := []string{"ready", "wait", "pending", "complete", "fail", "cancel", "reject"}
	for _, to := range invoice {
		for _, from := range invoice {
			names = append(names, "invoice "+from+"-"+to)
			e := ev("invoice/" + to).from(from)
			if to == "fail" {
				e.facts = []string{"reason=transaction_failed"}
			}
			raws = append(raws, payload(t, c, 5, e))
		}
	}
	names = append(names, "transaction unseen-created")
	raws = append(raws, payload(t, c, 5, ev("transaction/created")))
	for _, to := range []string{"complete", "fail"} {
		for _, from := range []string{"created", "complete", "fail"} {
			names = append(names, "transaction "+from+"-"+to)
			raws = append(raws, payload(t, c, 5, ev("transaction/"+to).from(from)))
		}
	}
	return names, raws
}

// remembering is a checker's memory and the reference's, after some events.
type remembering struct {
	k    *verify.Checker
	ref  *plain
	path []string
}

// explored is what came of looking at every memory there is.
type explored struct {
	memories, events int
	wrong            string
}

// explore delivers every event to a checker in every memory that events can bring
// it into. Whatever it says depends on the memory alone, so this is every sequence
// of events, of any length.
func explore(c *contract.Contract, names []string, check func(*verify.Checker, int) verify.Verdict) explored {
	const most = 1 << 16
	open := []remembering{{k: verify.NewSmallChecker(c, verify.Strict{}), ref: newPlain()}}
	seen := map[string]bool{open[0].k.Memory() + open[0].ref.key(): true}
	out := explored{events: len(names)}
	for ; len(open) > 0; open = open[1:] {
		at := open[0]
		out.memories++
		before := at.k.Memory()
		for i, name := range names {
			next := remembering{k: at.k.Copy(), ref: at.ref.copy(), path: append(slices.Clone(at.path), name)}
			if text := disagrees(next.ref.judge(name), check(next.k, i)); text != "" {
				out.wrong = fmt.Sprintf("%s: %s", strings.Join(next.path, ", "), text)
				return out
			}
			if key := next.k.Memory() + next.ref.key(); !seen[key] {
				seen[key] = true
				open = append(open, next)
			}
		}
		if after := at.k.Memory(); after != before {
			out.wrong = "a copy of a memory shares it with its original"
			return out
		}
		if len(seen) > most {
			out.wrong = fmt.Sprintf("after %d memories there are still new ones, such as after %s", most, strings.Join(at.path, ", "))
			return out
		}
	}
	return out
}

func disagrees(want saying, v verify.Verdict) string {
	got := judged{v.OK(), v.Duplicate, v.Has(verify.Late), v.Has(verify.Gap)}
	if !want.ok {
		if got.ok || find(v, want.code, want.pointer) == nil {
			return fmt.Sprintf("%+v, and the reference says %s at %s", v.Findings, want.code, want.pointer)
		}
		got = judged{}
	}
	if got != want.judged {
		return fmt.Sprintf("%+v, and the reference says %+v", got, want.judged)
	}
	return ""
}

// TestTrustEveryMemory brings a checker into every memory that the events of one
// payment can bring it into, and delivers every event to each: illegal ones, and
// those of the transaction, too.
func TestTrustEveryMemory(t *testing.T) {
	c := pack(t)
	names, raws := alphabet(t, c)
	got := explore(c, names, func(k *verify.Checker, i int) verify.Verdict { return k.Check(raws[i], "") })
	if got.wrong != "" {
		t.Error(got.wrong)
	}
	trust.Figure(t, "events", got.events)
	trust.Figure(t, "memories", got.memories)
	sequences := new(big.Int).Exp(big.NewInt(int64(got.events)), big.NewInt(10), nil)
	trust.Figure(t, "sequences of 10 events that this covers", sequences)
}

// TestTrustEveryMemoryCatches holds that the test above fails for checkers that are
// wrong.
func TestTrustEveryMemoryCatches(t *testing.T) {
	c := pack(t)
	names, raws := alphabet(t, c)
	at := func(name string) int { return slices.Index(names, name) }
	for wrong, check := range map[string]func(*verify.Checker, int) verify.Verdict{
		"remembers what is illegal": func(k *verify.Checker, i int) verify.Verdict {
			v := k.Check(raws[i], "")
			if i == at("invoice ready-complete") {
				k.Check(raws[at("invoice pending-complete")], "")
			}
			return v
		},
		"takes a paid invoice of a failed transaction": func(k *verify.Checker, i int) verify.Verdict {
			if v := k.Check(raws[i], ""); !v.Has(verify.ExcludedState) {
				return v
			}
			return verify.Payload(c, raws[i], "")
		},
		"forgets on the fifth event": func(k *verify.Checker, i int) verify.Verdict {
			if strings.HasSuffix(k.Memory(), "\x04") {
				return verify.Payload(c, raws[i], "")
			}
			return k.Check(raws[i], "")
		},
		"takes every transition out of a final state for one to itself": func(k *verify.Checker, i int) verify.Verdict {
			v := k.Check(raws[i], "")
			for n := range v.Findings {
				if strings.Contains(v.Findings[n].Message, "is final") {
					v.Findings[n].Code = verify.SelfTransition
				}
			}
			return v
		},
	} {
		if got := explore(c, names, check); got.wrong == "" {
			t.Errorf("a checker that %s is not caught", wrong)
		} else {
			trust.Caught(t, wrong)
		}
	}
}
