package verify_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/verify"
)

// The reference judges a whole set of payloads at once, in the plainest way, by
// the documents and not by the pack: it knows no order.

// told is one payload as the reference reads it.
type told struct {
	kind, from, to string
	invoice, tx    string
	of             map[string]map[string]string // facts of "invoice", "tx" and "event"
}

// places says what stands where, and whose fact it is.
func places(kind string) string {
	const tx = "tx.created:/createdAt tx.updated:/updatedAt tx.confirmations:/blockConfirmations tx.balance:/balance tx.finalized:/finalizedAt tx.received:/amount tx.detail:/detail tx.from:/from tx.to:/to" +
		" tx.block:/blockNum tx.partner:/partnerId tx.code:/idCode tx.fee:/fee tx.memo:/memo tx.type:/type tx.why:/failureReason" +
		" invoice.customer:/customerId invoice.asset:/assetId invoice.asset:/Asset/id tx.name:/Asset/name tx.symbol:/Asset/symbol" +
		" tx.network:/Asset/network invoice.customer:/customer/id invoice.name:/customer/name"
	const invoice = "invoice.customer:/customerId invoice.name:/customerName invoice.title:/title invoice.cash:/cashAmount invoice.crypto:/cryptoAmount" +
		" invoice.cashAsset:/cashAssetId invoice.asset:/cryptoAssetId invoice.completed:/completedAt invoice.created:/createdAt" +
		" invoice.expired:/expiredAt invoice.why:/reason tx.detail:/transaction/detail tx.from:/transaction/from tx.to:/transaction/to" +
		" tx.block:/transaction/blockNum tx.received:/transaction/receivedAmount invoice.crypto:/transaction/expectedAmount"
	if kind == "invoice" {
		return invoice
	}
	return tx
}

func dig(v any, path string) (string, bool) {
	for _, name := range strings.Split(path, "/")[1:] {
		object, _ := v.(map[string]any)
		next, found := object[name]
		if !found {
			return "", false
		}
		v = next
	}
	return fmt.Sprint(v), true
}

// read returns nil when the payload disagrees with itself.
func read(raw []byte) *told {
	var doc struct {
		Event, Timestamp string
		Data             map[string]any
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil
	}
	out := &told{kind: strings.Split(doc.Event, ".")[0], of: map[string]map[string]string{"invoice": {}, "tx": {}, "event": {}}}
	text := func(path string) string { s, _ := dig(doc.Data, path); return s }
	out.from, out.to, out.invoice, out.tx = text("/previousState"), text("/state"), text("/invoiceId"), text("/transaction/id")
	if out.kind == "transaction" {
		out.tx = text("/id")
	}
	out.of["event"]["timestamp"] = doc.Timestamp
	for _, place := range strings.Fields(places(out.kind)) {
		whose, path, _ := strings.Cut(place, ":")
		owner, fact, _ := strings.Cut(whose, ".")
		value, found := dig(doc.Data, path)
		if !found {
			continue
		}
		if before, again := out.of[owner][fact]; again && !same(fact, before, value) {
			return nil
		}
		out.of[owner][fact] = value
	}
	return out
}

func same(fact, a, b string) bool {
	if slices.Contains([]string{"crypto", "cash", "received", "fee"}, fact) {
		x, okX := new(big.Rat).SetString(a)
		y, okY := new(big.Rat).SetString(b)
		return okX && okY && x.Cmp(y) == 0
	}
	return a == b
}

func (x *told) edge() string { return x.from + "-" + x.to }

// consistent reports whether all the payloads can be true of one world.
func consistent(raws [][]byte) bool {
	var all []*told
	for _, raw := range raws {
		x := read(raw)
		if x == nil || !edges(x.kind, x.edge()) {
			return false
		}
		all = append(all, x)
	}
	for i, x := range all {
		for _, y := range all[:i] {
			if !together(x, y) {
				return false
			}
		}
	}
	w := world{map[string]map[string]string{}, map[string]bool{}}
	for _, x := range all {
		w.learn("invoice", x.invoice, x.of["invoice"])
		w.learn("tx", x.tx, x.of["tx"])
		if x.kind == "transaction" && x.to == "Fail" {
			w.failed[x.tx] = true
		}
	}
	return !slices.ContainsFunc(all, func(x *told) bool { return !w.holds(x) })
}

func onePath(kind string) []string {
	if kind == "transaction" {
		return []string{"-Pending Pending-Complete", "-Pending Pending-Fail"}
	}
	return []string{
		"Ready-Pending Pending-Complete", "Ready-Pending Pending-Fail", "Ready-Cancel", "Ready-Wait Wait-Pending Pending-Complete",
		"Ready-Wait Wait-Pending Pending-Fail", "Ready-Wait Wait-Reject",
	}
}

func edges(kind string, some ...string) bool {
	return slices.ContainsFunc(onePath(kind), func(path string) bool {
		return !slices.ContainsFunc(some, func(e string) bool { return !slices.Contains(strings.Fields(path), e) })
	})
}

func agree(a, b map[string]string) bool {
	for fact, x := range a {
		if y, found := b[fact]; found && !same(fact, x, y) {
			return false
		}
	}
	return true
}

// together reports whether two payloads do not contradict each other.
func together(x, y *told) bool {
	sameInvoice, sameTx := x.invoice == y.invoice, x.tx != "" && x.tx == y.tx
	if sameInvoice && !agree(x.of["invoice"], y.of["invoice"]) || sameTx && !agree(x.of["tx"], y.of["tx"]) {
		return false
	}
	if sameTx && !sameInvoice {
		return false
	}
	if x.kind != y.kind || x.kind == "invoice" && !sameInvoice || x.kind == "transaction" && !sameTx {
		return true
	}
	return edges(x.kind, x.edge(), y.edge()) && (x.to != y.to || x.tx == y.tx)
}

// world is everything all the payloads told.
type world struct {
	facts  map[string]map[string]string
	failed map[string]bool
}

func (w world) learn(kind, id string, facts map[string]string) {
	if id == "" {
		return
	}
	if w.facts[kind+id] == nil {
		w.facts[kind+id] = map[string]string{}
	}
	maps.Copy(w.facts[kind+id], facts)
}

// holds reports whether what a payload's state demands is true in the world.
// Times are written alike, so they compare as text; an unknown one is "".
func (w world) holds(x *told) bool {
	invoice, tx := w.facts["invoice"+x.invoice], w.facts["tx"+x.tx]
	stamp, created := x.of["event"]["timestamp"], invoice["created"]
	notBefore := func(later, earlier string) bool { return later == "" || earlier == "" || later >= earlier }
	amounts := invoice["crypto"] != "" && tx["received"] != ""
	paid := same("crypto", invoice["crypto"], tx["received"])
	ok := notBefore(stamp, created)
	switch x.kind + x.to {
	case "invoiceComplete":
		ok = ok && (!amounts || paid) && notBefore(invoice["completed"], created) && notBefore(stamp, invoice["completed"]) && !w.failed[x.tx]
	case "invoiceFail":
		ok = ok && (x.of["invoice"]["why"] != "amount_mismatch" || !amounts || !paid)
	case "invoiceCancel":
		ok = ok && notBefore(invoice["expired"], created) && notBefore(stamp, invoice["expired"])
	case "transactionPending":
		ok = ok && notBefore(tx["created"], created) && notBefore(tx["updated"], tx["created"]) && notBefore(stamp, tx["created"])
	case "transactionComplete":
		ok = ok && notBefore(stamp, tx["created"]) && notBefore(tx["finalized"], created) && notBefore(tx["finalized"], tx["created"]) && notBefore(stamp, tx["finalized"])
	case "transactionFail":
		ok = ok && notBefore(stamp, tx["created"]) && (x.of["tx"]["why"] != "amount_mismatch" || !amounts || !paid)
	}
	return ok
}

// drawHistory draws payloads about few invoices and transactions, some of which
// contradict each other.
func drawHistory(t *rapid.T, c *contract.Contract) [][]byte {
	usually := func(name string, first string, others ...string) []string {
		if i := rapid.IntRange(0, 11).Draw(t, name); i < len(others) {
			return []string{name + "=" + others[i]}
		}
		return []string{name + "=" + first}
	}
	var out [][]byte
	for range rapid.IntRange(1, 5).Draw(t, "deliveries") {
		st := rapid.SampledFrom(c.States()).Draw(t, "state")
		e := ev(st.Subject.Name + "/" + st.Name)
		e.previous = rapid.SampledFrom(st.From).Draw(t, "from").From.Name
		e.facts = slices.Concat(
			usually("invoiceId", "550e8400-e29b-41d4-a716-446655440000", "550e8400-e29b-41d4-a716-446655440001"),
			usually("transactionId", "T", "U", "V"),
			usually("customerName", "A", "B"),
			usually("cryptoAmount", "2", "3"),
			usually("blockNum", "75000000", "75000001"),
			usually("createdAt", "2025-09-05T10:30:00.000Z", "2025-09-05T10:50:00.000Z"),
			usually("transactionCreatedAt", "2025-09-05T10:44:00.000Z", "2025-09-05T10:20:00.000Z", "2025-09-05T10:59:00.000Z"),
			usually("finalizedAt", "2025-09-05T10:45:30.000Z", "2025-09-05T10:40:00.000Z"),
		)
		e.facts = append(e.facts, "receivedAmount="+rapid.SampledFrom([]string{"2", "2.0", "1"}).Draw(t, "receivedAmount"))
		if rapid.Bool().Draw(t, "mismatch") {
			e.facts = append(e.facts, "failureReason=amount_mismatch")
		} else {
			e.facts = append(e.facts, "reason=expired", "failureReason=transaction_expired")
		}
		if rapid.IntRange(0, 9).Draw(t, "stamped") == 0 {
			e = e.edit("timestamp=2025-09-05T10:35:00.000Z")
		}
		out = append(out, payload(t, c, 9, e))
	}
	return out
}

func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{nil}
	}
	var out [][]int
	for _, p := range permutations(n - 1) {
		for i := range n {
			out = append(out, slices.Insert(slices.Clone(p), i, n-1))
		}
	}
	return out
}

// TestVerdictDoesNotDependOnOrder delivers a history in every order there is:
// each has a violation, or none has, and the reference agrees.
func TestVerdictDoesNotDependOnOrder(t *testing.T) {
	c := pack(t)
	count := map[bool]int{}
	rapid.Check(t, func(t *rapid.T) {
		history := drawHistory(t, c)
		want := consistent(history)
		count[want]++
		for _, order := range permutations(len(history)) {
			k := verify.NewChecker(c, verify.Strict{})
			ok, found := true, []verify.Finding(nil)
			for _, i := range order {
				v := k.Check(history[i], "")
				ok, found = ok && v.OK(), append(found, v.Findings...)
			}
			if ok != want {
				t.Fatalf("consistent: %v, but in the order %v: %+v\n%s", want, order, found, history)
			}
		}
	})
	if count[true] < 5 || count[false] < 5 {
		t.Errorf("the drawn histories are one-sided: %v", count)
	}
}
