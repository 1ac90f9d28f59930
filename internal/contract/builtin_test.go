package contract_test

import (
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/payloads"
)

func load(t *testing.T, fsys fs.FS) *contract.Contract {
	t.Helper()
	c, err := contract.Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func subject(t *testing.T, c *contract.Contract, name string) *contract.Subject {
	t.Helper()
	s := c.Subject(name)
	if s == nil {
		t.Fatalf("there is no subject %s", name)
	}
	return s
}

// verdictOf names what the graph says of a pair.
func verdictOf(s *contract.Subject, from, to *contract.State) string {
	switch {
	case s.Edge(from, to) != nil:
		return "legal"
	case from == to:
		return "self"
	}
	return "illegal"
}

func TestInvoiceGraphIsTheDocumentedOne(t *testing.T) {
	pairs := []struct{ from, to, want string }{
		{"Ready", "Ready", "self"},
		{"Ready", "Wait", "legal"},
		{"Ready", "Pending", "legal"},
		{"Ready", "Complete", "illegal"},
		{"Ready", "Fail", "illegal"},
		{"Ready", "Cancel", "legal"},
		{"Ready", "Reject", "illegal"},

		{"Wait", "Ready", "illegal"},
		{"Wait", "Wait", "self"},
		{"Wait", "Pending", "legal"},
		{"Wait", "Complete", "illegal"},
		{"Wait", "Fail", "illegal"},
		{"Wait", "Cancel", "illegal"},
		{"Wait", "Reject", "legal"},

		{"Pending", "Ready", "illegal"},
		{"Pending", "Wait", "illegal"},
		{"Pending", "Pending", "self"},
		{"Pending", "Complete", "legal"},
		{"Pending", "Fail", "legal"},
		{"Pending", "Cancel", "illegal"},
		{"Pending", "Reject", "illegal"},

		{"Complete", "Ready", "illegal"},
		{"Complete", "Wait", "illegal"},
		{"Complete", "Pending", "illegal"},
		{"Complete", "Complete", "self"},
		{"Complete", "Fail", "illegal"},
		{"Complete", "Cancel", "illegal"},
		{"Complete", "Reject", "illegal"},

		{"Fail", "Ready", "illegal"},
		{"Fail", "Wait", "illegal"},
		{"Fail", "Pending", "illegal"},
		{"Fail", "Complete", "illegal"},
		{"Fail", "Fail", "self"},
		{"Fail", "Cancel", "illegal"},
		{"Fail", "Reject", "illegal"},

		{"Cancel", "Ready", "illegal"},
		{"Cancel", "Wait", "illegal"},
		{"Cancel", "Pending", "illegal"},
		{"Cancel", "Complete", "illegal"},
		{"Cancel", "Fail", "illegal"},
		{"Cancel", "Cancel", "self"},
		{"Cancel", "Reject", "illegal"},

		{"Reject", "Ready", "illegal"},
		{"Reject", "Wait", "illegal"},
		{"Reject", "Pending", "illegal"},
		{"Reject", "Complete", "illegal"},
		{"Reject", "Fail", "illegal"},
		{"Reject", "Cancel", "illegal"},
		{"Reject", "Reject", "self"},
	}
	s := subject(t, load(t, payloads.FS), "invoice")
	count := map[string]int{}
	for _, p := range pairs {
		from, to := s.Spelled(p.from), s.Spelled(p.to)
		if from == nil || to == nil {
			t.Fatalf("%s or %s is no state", p.from, p.to)
		}
		count[p.want]++
		if got := verdictOf(s, from, to); got != p.want {
			t.Errorf("%s to %s is %s, want %s", p.from, p.to, got, p.want)
		}
	}
	if diff := cmp.Diff(map[string]int{"legal": 7, "illegal": 35, "self": 7}, count); diff != "" {
		t.Errorf("the list of pairs is not complete: %s", diff)
	}
	if len(s.States) != 6 || len(s.Edges) != 7 {
		t.Errorf("%d states and %d transitions, want 6 that events lead to and 7", len(s.States), len(s.Edges))
	}
}

func TestTransactionGraphIsTheDocumentedOne(t *testing.T) {
	s := subject(t, load(t, payloads.FS), "transaction")
	want := []string{"unseen→Pending", "Pending→Complete", "Pending→Fail"}
	var got []string
	for _, e := range s.Edges {
		got = append(got, e.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if s.Initial.Wire != "" || s.Spelled("") != nil {
		t.Error("a transaction that is not on the chain yet has no spelling")
	}
}

// walks lists the ways from the start to a final state.
func walks(st *contract.State) []string {
	next := st.Next()
	if len(next) == 0 {
		return []string{st.Label()}
	}
	var out []string
	for _, e := range next {
		for _, rest := range walks(e.To) {
			out = append(out, st.Label()+"-"+rest)
		}
	}
	return out
}

func TestMaximalPaths(t *testing.T) {
	c := load(t, payloads.FS)
	for name, want := range map[string][]string{
		"invoice": {
			"Ready-Cancel", "Ready-Pending-Complete", "Ready-Pending-Fail", "Ready-Wait-Pending-Complete",
			"Ready-Wait-Pending-Fail", "Ready-Wait-Reject",
		},
		"transaction": {"unseen-Pending-Complete", "unseen-Pending-Fail"},
	} {
		got := walks(subject(t, c, name).Initial)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestEdgeSets compares what an edge set knows with the six paths, written out.
func TestEdgeSets(t *testing.T) {
	paths := [][]string{
		{"Ready→Pending", "Pending→Complete"},
		{"Ready→Pending", "Pending→Fail"},
		{"Ready→Cancel"},
		{"Ready→Wait", "Wait→Pending", "Pending→Complete"},
		{"Ready→Wait", "Wait→Pending", "Pending→Fail"},
		{"Ready→Wait", "Wait→Reject"},
	}
	together := func(a, b string) bool {
		return slices.ContainsFunc(paths, func(p []string) bool { return slices.Contains(p, a) && slices.Contains(p, b) })
	}
	after := func(a, b string) bool {
		return slices.ContainsFunc(paths, func(p []string) bool { return slices.Index(p, a) > slices.Index(p, b) && slices.Contains(p, b) })
	}
	s := subject(t, load(t, payloads.FS), "invoice")
	for _, seen := range s.Edges {
		set := contract.Edges(0).With(seen)
		for _, e := range s.Edges {
			if got, want := set.Contradicts(e) == nil, together(seen.String(), e.String()); got != want {
				t.Errorf("%s with %s on one path: %v, want %v", seen, e, got, want)
			}
			if got, want := set.Overtook(e) != nil, after(seen.String(), e.String()); got != want {
				t.Errorf("%s overtook %s: %v, want %v", seen, e, got, want)
			}
			if got, want := set.Missing(e), e.From.Wire != "Ready" && seen.To != e.From; got != want {
				t.Errorf("with %s, something that leads to %s is missing: %v, want %v", seen, e, got, want)
			}
			if got, want := set.Has(e), seen == e; got != want {
				t.Errorf("{%s} has %s: %v", seen, e, got)
			}
		}
	}
}

func TestReaches(t *testing.T) {
	s := subject(t, load(t, payloads.FS), "invoice")
	for _, x := range []struct {
		from, to string
		want     bool
	}{
		{"ready", "reject", true},
		{"wait", "complete", true},
		{"wait", "cancel", false},
		{"pending", "wait", false},
		{"complete", "complete", true},
		{"complete", "fail", false},
	} {
		if got := s.State(x.from).Reaches(s.State(x.to)); got != x.want {
			t.Errorf("%s reaches %s: %v, want %v", x.from, x.to, got, x.want)
		}
	}
}

func TestDocumentedEventsAndDelivery(t *testing.T) {
	c := load(t, payloads.FS)
	where := map[string]string{}
	for _, st := range c.States() {
		where[st.String()] = st.Event + " " + st.Path + " " + st.Wire
	}
	want := map[string]string{
		"invoice wait":         "invoice.updated /callback/update-invoice Wait",
		"invoice pending":      "invoice.updated /callback/update-invoice Pending",
		"invoice complete":     "invoice.updated /callback/update-invoice Complete",
		"invoice fail":         "invoice.updated /callback/update-invoice Fail",
		"invoice cancel":       "invoice.updated /callback/update-invoice Cancel",
		"invoice reject":       "invoice.updated /callback/update-invoice Reject",
		"transaction created":  "transaction.created /callback/create-transaction Pending",
		"transaction complete": "transaction.updated /callback/update-transaction Complete",
		"transaction fail":     "transaction.updated /callback/update-transaction Fail",
	}
	if diff := cmp.Diff(want, where); diff != "" {
		t.Error(diff)
	}
	if !slices.Equal(c.Delivery.Success, []int{200}) || c.Delivery.Timeout.Seconds() != 5 {
		t.Errorf("success is %v within %v, documented are 200 within 5 s", c.Delivery.Success, c.Delivery.Timeout)
	}
	var flow []string
	for _, st := range c.Flow {
		flow = append(flow, st.String())
	}
	if diff := cmp.Diff([]string{"transaction created", "invoice pending", "transaction complete", "invoice complete"}, flow); diff != "" {
		t.Error(diff)
	}
}

// TestRequiredFields holds the table of fields in the documents, state by state.
func TestRequiredFields(t *testing.T) {
	common := "event timestamp data.invoiceId data.customerId data.customerName data.state data.previousState data.title"
	settled := "event timestamp data.id data.state data.previousState data.detail data.amount data.invoiceId data.customerId"
	want := map[string]string{
		"invoice wait":    common + " data.cashAmount data.cryptoAmount",
		"invoice pending": common + " data.cashAmount data.cryptoAmount data.transaction.id data.transaction.detail",
		"invoice complete": common + " data.cashAmount data.cryptoAmount data.cashAssetId data.cryptoAssetId data.completedAt data.createdAt" +
			" data.transaction.id data.transaction.detail data.transaction.from data.transaction.to data.transaction.blockNum",
		"invoice cancel": common + " data.expiredAt data.reason",
		"invoice fail": common + " data.reason data.transaction.id data.transaction.detail data.transaction.receivedAmount" +
			" data.transaction.expectedAmount",
		"invoice reject": common + " data.cashAmount data.cryptoAmount data.reason",
		"transaction created": "event timestamp data.id data.partnerId data.customerId data.invoiceId data.idCode data.assetId data.from data.to" +
			" data.amount data.fee data.balance data.state data.type data.detail data.blockNum data.memo data.createdAt data.updatedAt" +
			" data.Asset.id data.Asset.name data.Asset.symbol data.Asset.network data.customer.id data.customer.name",
		"transaction complete": settled + " data.blockConfirmations data.finalizedAt data.Asset.id data.Asset.symbol",
		"transaction fail":     settled + " data.failureReason data.Asset.id data.Asset.symbol",
	}
	for _, st := range load(t, payloads.FS).States() {
		var got []string
		for _, f := range st.Fields() {
			if f.Required {
				got = append(got, f.Path())
			}
		}
		if diff := cmp.Diff(strings.Fields(want[st.String()]), got); diff != "" {
			t.Errorf("%s: %s", st, diff)
		}
	}
}

func TestDerivedStatesAreMarked(t *testing.T) {
	for _, st := range load(t, payloads.FS).States() {
		derived := st.String() == "invoice wait" || st.String() == "invoice reject"
		if (st.Derived != "") != derived {
			t.Errorf("%s: derived is %q", st, st.Derived)
		}
	}
}

func TestFindByWhatWasTyped(t *testing.T) {
	c := load(t, payloads.FS)
	inv, tx := c.Subject("INVOICE"), c.Subject("Transaction")
	if inv == nil || tx == nil || c.Subject("order") != nil {
		t.Fatal("subjects are found by name in any case, and no others")
	}
	for typed, want := range map[string]string{"complete": "complete", "COMPLETE": "complete", "Ready": "ready", "completed": ""} {
		st := inv.State(typed)
		if got := st != nil && st.Name == want; got != (want != "") {
			t.Errorf("%q gives %v", typed, st)
		}
	}
	if st := tx.State("pending"); st == nil || st.Name != "created" {
		t.Errorf("a transaction's Pending is the state created, not %v", st)
	}
	if inv.Spelled("complete") != nil {
		t.Error("payloads are read exactly: complete is not Complete")
	}
}

func TestAnotherDomain(t *testing.T) {
	c := load(t, os.DirFS("testdata/shipment"))
	if diff := cmp.Diff([]string{"shipment", "parcel"}, c.SubjectNames()); diff != "" {
		t.Error(diff)
	}
	s := subject(t, c, "shipment")
	var got []string
	for _, e := range s.Edges {
		got = append(got, e.String())
	}
	want := []string{
		"ORDERED→PACKED", "PACKED→SHIPPED", "HELD→SHIPPED", "SHIPPED→HELD", "SHIPPED→DELIVERED", "SHIPPED→RETURNED", "SHIPPED→LOST",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	shipped, held := s.State("shipped"), s.State("held")
	there, back := s.Edge(shipped, held), s.Edge(held, shipped)
	set := contract.Edges(0).With(there).With(back)
	if set.Contradicts(there) != nil || set.Contradicts(back) != nil || set.Overtook(there) != nil || set.Overtook(back) != nil {
		t.Error("the two ways of a cycle go together, in any order")
	}
	if out := s.Edge(shipped, s.State("lost")); set.Contradicts(out) != nil || set.With(out).Contradicts(s.Edge(shipped, s.State("delivered"))) != out {
		t.Error("one way out of a cycle excludes the other, not the cycle")
	}
	if len(c.Paths()) != 4 || len(c.EventNames()) != 4 {
		t.Errorf("paths %v, events %v", c.Paths(), c.EventNames())
	}
}
