package merchant

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
)

// maxKept bounds how many payments and transfers are kept; what would be more is
// refused, since forgetting one would be to credit it again.
const maxKept = 1 << 18

// ledger is what a merchant keeps of payments, transfers and customers.
type ledger struct {
	orders    map[string]*order
	transfers map[string]*transfer // by the gateway's id
	claims    map[string]*transfer // by hash and output
	accounts  map[string]payment.Amount
	// keys are what some bugs tell deliveries apart by, recent their order.
	keys   map[string]bool
	recent []string
	// hashes are the payments that each hash has paid, last the payment heard of
	// last: what other bugs go by.
	hashes map[string]string
	last   string
}

func newLedger() *ledger {
	return &ledger{
		orders: map[string]*order{}, transfers: map[string]*transfer{}, claims: map[string]*transfer{},
		accounts: map[string]payment.Amount{}, keys: map[string]bool{}, hashes: map[string]string{},
	}
}

// life is the states something was seen in, whatever the order they came in.
type life struct {
	state *contract.State // the furthest
	seen  map[*contract.State]bool
	edges contract.Edges
}

func (l *life) enter(e *contract.Edge) {
	if l.state == nil || l.state.Reaches(e.To) {
		l.state = e.To
	}
	l.seen[e.To], l.edges = true, l.edges.With(e)
}

type order struct {
	life
	facts      map[*contract.Fact]jsondoc.Value
	transfers  []*transfer
	credited   payment.Amount
	refunded   payment.Amount
	deliveries int
	account    string
	// orphan and latest are what some bugs go by.
	orphan bool
	latest time.Time
}

type transfer struct {
	life
	id, hash, output, order string
	received                *jsondoc.Value
}

// process decides on an event and has its effects. What is looked up and what is
// done about it are one step, so that nothing can come between them.
func (m *Merchant) process(ctx context.Context, e *event) *reply {
	if a := m.processBadly(ctx, e); a != nil {
		return a
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.decide(e)
}

// decide is called with the lock held.
func (m *Merchant) decide(e *event) *reply {
	if a := m.spoilDecision(e); a != nil {
		return a
	}
	o := m.book.orders[e.order]
	if o == nil {
		o = &order{life: life{seen: map[*contract.State]bool{}}, facts: map[*contract.Fact]jsondoc.Value{}}
	}
	t, clash := m.book.transferOf(m, o, e)
	if a := m.judge(o, t, clash, e); a != nil {
		return a
	}
	if m.failNext {
		m.failNext = false
		m.halfway(e)
		return m.broke()
	}
	if len(m.book.orders)+len(m.book.transfers) >= maxKept {
		return refused(http.StatusServiceUnavailable, "Full")
	}
	m.keep(o, t, e)
	m.settle(o, t, e)
	return answered(m.Contract.Answers.OK)
}

// judge says why an event has no effect, or nil when it has one.
func (m *Merchant) judge(o *order, t *transfer, clash bool, e *event) *reply {
	l := &o.life
	if e.state.Subject == m.transfers() {
		l = &t.life
	}
	edge, known := m.edge(e)
	repeated := m.repeated(l, e)
	conflict := answered(m.Contract.Answers.Conflict)
	switch {
	case !known, clash && !m.overlooks("transfer"), m.drifts(o, t, e):
		return conflict
	case repeated && t != nil && t.order == "":
		return conflict // by another transfer than before
	case repeated:
		return answered(m.Contract.Answers.Duplicate)
	case l.edges.Contradicts(edge) != nil && !l.seen[e.state] && !m.overlooksPath(o),
		!m.overlooks("received") && m.contradicted(o, t, e):
		return conflict // for people to look at: money may have come
	case m.Ordered && edge.From != e.state.Subject.Initial && !l.seen[edge.From]:
		return conflict
	case !m.complete(o, t, e):
		return m.invalid()
	}
	return nil
}

// edge is the transition the event reports: the usual one where it does not say.
func (m *Merchant) edge(e *event) (edge *contract.Edge, known bool) {
	edge = e.state.From[0]
	if !e.said {
		return edge, true
	}
	from := e.state.Subject.Spelled(e.previous)
	if from != nil && e.state.EdgeFrom(from) != nil {
		return e.state.EdgeFrom(from), true
	}
	return edge, m.overlooks("edge")
}

// drifts reports whether a fact differs from what was told before of the same
// payment or transfer.
func (m *Merchant) drifts(o *order, t *transfer, e *event) bool {
	r := m.roles
	for _, f := range []*contract.Fact{r.Price, r.Cash, r.Asset, r.CashAsset, r.Customer} {
		old, told := o.facts[f]
		now, tells := e.facts[f]
		if told && tells && !payment.Equal(f, old, now) && !m.overlooksDrift(f) {
			return true
		}
	}
	now, tells := e.facts[r.Received]
	return tells && t != nil && t.received != nil && !payment.Equal(r.Received, *t.received, now)
}

// contradicted reports whether what is known of the transfers keeps a payment
// from being paid, or what is known of the payment a transfer from failing.
func (m *Merchant) contradicted(o *order, t *transfer, e *event) bool {
	r := m.roles
	switch e.state {
	case r.Dropped:
		return o.seen[r.Paid]
	case r.Paid:
	default:
		return false
	}
	paying := o.transfers
	if t != nil && t.order != "" {
		paying = []*transfer{t}
	}
	return slices.ContainsFunc(paying, func(t *transfer) bool {
		price, priced := m.fact(o, e, r.Price)
		wrong := priced && t.received != nil && !payment.Equal(r.Price, *t.received, price)
		return wrong || r.Dropped != nil && t.seen[r.Dropped]
	})
}

// fact is what the event says, or else what was told before.
func (m *Merchant) fact(o *order, e *event, f *contract.Fact) (jsondoc.Value, bool) {
	if v, ok := e.facts[f]; ok {
		return v, true
	}
	v, ok := o.facts[f]
	return v, ok
}

// complete reports whether all is known that the event's effects need.
func (m *Merchant) complete(o *order, t *transfer, e *event) bool {
	r := m.roles
	switch {
	case e.state == r.Paid:
		for _, f := range []*contract.Fact{r.Asset, r.Customer} {
			if _, ok := m.fact(o, e, f); !ok && f != nil && e.state.Carries(f.Name) != nil {
				return false
			}
		}
		price, ok := e.amount(r.Price)
		return ok && (price.Sign() > 0 || m.takesForm(r.Price))
	case m.mismatched(e):
		_, ok := m.receivedBy(t, e)
		return ok
	}
	return true
}

// mismatched reports whether the event ends a payment because another amount
// than its price was received.
func (m *Merchant) mismatched(e *event) bool {
	return e.state == m.roles.Failed && m.roles.Mismatch != "" && m.key(m.roles.Reason, e) == m.roles.Mismatch
}

func (m *Merchant) receivedBy(t *transfer, e *event) (payment.Amount, bool) {
	if a, ok := e.amount(m.roles.Received); ok || t == nil || t.received == nil {
		return a, ok
	}
	return payment.ParseAmount(t.received.Text)
}

// keep remembers the event's facts and its state.
func (m *Merchant) keep(o *order, t *transfer, e *event) {
	r := m.roles
	m.book.orders[e.order] = o
	for _, f := range []*contract.Fact{r.Price, r.Cash, r.Asset, r.CashAsset, r.Customer} {
		if v, ok := e.facts[f]; ok && f != nil {
			o.facts[f] = v
		}
	}
	if a := m.accountOf(e); a != "" {
		o.account = a
	}
	m.book.register(m, o, t, e)
	edge, _ := m.edge(e)
	if e.state.Subject == m.transfers() {
		t.enter(edge)
	} else {
		m.advance(o, e, edge)
	}
	m.remember(e)
}

// settle has the effects: a payment is credited when it is paid, and what was
// received is given back when it was not what was asked for.
func (m *Merchant) settle(o *order, t *transfer, e *event) {
	if m.settleBadly(o, t, e) {
		return
	}
	switch {
	case e.state == m.roles.Paid:
		price, _ := e.amount(m.roles.Price)
		m.credit(o, price)
	case m.mismatched(e) && o.deliveries == 0 && o.refunded.Sign() == 0:
		received, _ := m.receivedBy(t, e)
		m.refund(o, received)
	}
}

func (m *Merchant) credit(o *order, a payment.Amount) {
	o.credited = o.credited.Add(a)
	o.deliveries++
	m.post(o, a)
}

func (m *Merchant) refund(o *order, a payment.Amount) {
	o.refunded = o.refunded.Add(a)
	m.post(o, negative(a))
}

// post books an amount on the customer's account, where a customer was named.
func (m *Merchant) post(o *order, a payment.Amount) {
	if o.account != "" {
		m.book.accounts[o.account] = m.sum(m.book.accounts[o.account], a)
	}
}

func negative(a payment.Amount) payment.Amount {
	if a.Sign() <= 0 {
		return payment.Amount{}
	}
	n, _ := payment.ParseAmount("-" + a.String())
	return n
}

// transferOf finds the transfer that the event names, or makes one that is not
// registered yet: its order is "". Clash is set when the event contradicts what
// is known of transfers. One hash may pay several payments, by several outputs.
func (b *ledger) transferOf(m *Merchant, o *order, e *event) (t *transfer, clash bool) {
	if e.transfer == "" {
		return nil, false
	}
	hash, output := m.key(m.roles.Hash, e), m.key(m.roles.Output, e)
	fits := func(known, now string) bool { return known == "" || now == "" || known == now }
	if t := b.transfers[e.transfer]; t != nil {
		return t, t.order != e.order || !fits(t.hash, hash) || !fits(t.output, output)
	}
	for _, t := range o.transfers {
		if hash != "" && t.hash == hash && fits(t.output, output) {
			return t, false
		}
	}
	claimed := b.claims[claim(hash, output)]
	fresh := &transfer{life: life{seen: map[*contract.State]bool{}}, id: e.transfer, hash: hash, output: output}
	return fresh, hash != "" && output != "" && claimed != nil && claimed.order != e.order
}

func claim(hash, output string) string { return strconv.Itoa(len(hash)) + hash + output }

// register keeps what the event tells of its transfer.
func (b *ledger) register(m *Merchant, o *order, t *transfer, e *event) {
	if t == nil {
		return
	}
	if t.order == "" {
		t.order = e.order
		o.transfers = append(o.transfers, t)
		b.transfers[t.id] = t
	}
	if t.hash == "" {
		t.hash = m.key(m.roles.Hash, e)
	}
	if t.output == "" {
		t.output = m.key(m.roles.Output, e)
	}
	if t.hash != "" && t.output != "" {
		b.claims[claim(t.hash, t.output)] = t
	}
	if v, ok := e.facts[m.roles.Received]; ok {
		t.received = &v
	}
}

// probe shows what the merchant made of a payment.
func (m *Merchant) probe(r *http.Request, id string) *reply {
	if r.Method != http.MethodGet {
		return refused(http.StatusMethodNotAllowed, "Method not allowed")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.book.orders[fold(m.payments(), id)]
	if o == nil {
		return refused(http.StatusNotFound, "Unknown order")
	}
	state := m.roles.Paid.Subject.Initial
	if o.state != nil {
		state = o.state
	}
	return &reply{status: http.StatusOK, body: object(
		"state", state.Label(), "credited", o.credited.String(), "refunded", o.refunded.String(),
		"deliveries", strconv.Itoa(o.deliveries), "balance", m.book.accounts[o.account].String())}
}
