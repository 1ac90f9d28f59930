package merchant

import (
	"context"
	"crypto/sha256"
	"strconv"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/payment"
)

// How long the bugs wait between looking something up and acting on it.
const (
	raceWindow    = 5 * time.Millisecond
	overlapWindow = 300 * time.Millisecond
	answerWindow  = 150 * time.Millisecond
	recentKeys    = 1000
)

// processBadly plants the bugs that are a matter of what happens meanwhile; nil
// leaves the event to be processed as it should.
func (m *Merchant) processBadly(ctx context.Context, e *event) *reply {
	if e.state != m.roles.Paid {
		return nil
	}
	switch m.bug {
	case "racy-dedupe":
		return m.lookFirst(ctx, e, raceWindow)
	case "overlapping-retry":
		return m.lookFirst(ctx, e, overlapWindow)
	case "lost-updates":
		return m.writeBack(ctx, e)
	case "forgets-unanswered":
		a := m.decideLocked(e)
		if m.Wait(ctx, answerWindow) != nil {
			m.forget(e)
		}
		return a
	}
	return nil
}

func (m *Merchant) decideLocked(e *event) *reply {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.decide(e)
}

// lookFirst looks up whether an event is known, and acts on it later.
func (m *Merchant) lookFirst(ctx context.Context, e *event, window time.Duration) *reply {
	key, _ := m.naiveKey(e)
	m.mu.Lock()
	known := m.book.keys[key]
	m.mu.Unlock()
	if known {
		return answered(m.Contract.Answers.Duplicate)
	}
	_ = m.Wait(context.WithoutCancel(ctx), window)
	e.fresh = true
	return m.decideLocked(e)
}

// writeBack adds what an event credits to the balance as it was before a wait.
func (m *Merchant) writeBack(ctx context.Context, e *event) *reply {
	account := m.accountOf(e)
	m.mu.Lock()
	read := m.book.accounts[account]
	m.mu.Unlock()
	_ = m.Wait(context.WithoutCancel(ctx), raceWindow)
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.book.accounts[account]
	a := m.decide(e)
	if after := m.book.accounts[account]; after.Cmp(before) > 0 {
		m.book.accounts[account] = read.Add(after.Add(negative(before)))
	}
	return a
}

func (m *Merchant) forget(e *event) {
	key, _ := m.naiveKey(e)
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.book.keys, key)
}

// naiveKey is what a bug tells events apart by; naive is unset when the merchant
// goes by the state that the payment was seen in.
func (m *Merchant) naiveKey(e *event) (key string, naive bool) {
	id := e.state.String() + " " + e.order + " "
	switch m.bug {
	case "double-credit", "account-apart", "refunds-again":
		return "", true
	case "forgets-unanswered", "overlapping-retry", "racy-dedupe", "memory-dedupe", "evicting-dedupe", "seen-before-processed":
		return id, true
	case "previous-in-key":
		return id + e.previous, true
	case "timestamp-in-key":
		return id + e.moment.UTC().Format(time.RFC3339Nano), true
	case "transfer-id-key":
		return id + e.transfer, true
	case "hash-as-key":
		return id + m.key(m.roles.Hash, e), true
	case "amount-in-key":
		price, _ := e.amount(m.roles.Price)
		return id + price.String(), true
	case "bytes-as-key":
		sum := sha256.Sum256(e.body)
		return string(sum[:]), true
	case "path-in-key":
		return id + e.target, true
	}
	return "", false
}

// keys is where the bug keeps its keys.
func (m *Merchant) keys() map[string]bool {
	if m.has("memory-dedupe") {
		return m.memory.keys
	}
	return m.book.keys
}

// repeated reports whether an event is known.
func (m *Merchant) repeated(l *life, e *event) bool {
	if e.fresh {
		return false
	}
	if key, naive := m.naiveKey(e); naive {
		return m.keys()[key]
	}
	return l.seen[e.state]
}

// remember makes an event known.
func (m *Merchant) remember(e *event) {
	m.book.last = e.order
	key, naive := m.naiveKey(e)
	if !naive || key == "" {
		return
	}
	m.keys()[key] = true
	if m.has("evicting-dedupe") {
		m.book.recent = append(m.book.recent, key)
		if len(m.book.recent) > recentKeys {
			delete(m.book.keys, m.book.recent[0])
			m.book.recent = m.book.recent[1:]
		}
	}
}

// halfway is what is left of an event whose processing breaks.
func (m *Merchant) halfway(e *event) {
	if m.has("seen-before-processed") {
		m.remember(e)
	}
}

// overlooks reports whether the bug leaves out a check.
func (m *Merchant) overlooks(check string) bool {
	switch check {
	case "edge":
		return m.has("catch-up-credit") || m.has("reverses-when-failed") || m.has("previous-in-key") || m.has("unknown-state-credits")
	case "transfer":
		return m.has("hash-as-key")
	case "received":
		return m.has("amount-in-key") || m.has("amount-unchecked") || m.has("credits-after-failed")
	}
	return false
}

// overlooksPath reports whether the bug takes a payment out of a final state.
func (m *Merchant) overlooksPath(o *order) bool {
	switch m.bug {
	case "reverses-when-failed":
		return o.seen[m.roles.Paid]
	case "credits-after-failed":
		return o.seen[m.roles.Failed]
	case "credits-after-expired":
		return o.seen[m.roles.Expired]
	case "reopens-refused":
		return o.seen[m.roles.Refused]
	}
	return false
}

func (m *Merchant) overlooksDrift(f *contract.Fact) bool {
	if m.isAsset(f) {
		return m.has("assets-unchecked") || m.has("huge-numbers")
	}
	return f != m.roles.Customer && (m.has("amount-in-key") || m.has("amount-unchecked"))
}

// spoilDecision plants the bugs that break on an event, or drop it.
func (m *Merchant) spoilDecision(e *event) *reply {
	r := m.roles
	o, t := m.book.orders[e.order], m.book.transfers[e.transfer]
	updated := e.state == r.Confirmed || e.state == r.Dropped
	paid := e.state == r.Paid
	switch {
	case m.has("unseen-transfer-500") && updated && (t == nil || !t.seen[r.Seen]),
		m.has("needs-transfer") && paid && (t == nil || len(t.seen) == 0),
		m.has("unknown-payment-500") && paid && o == nil:
		return m.broke()
	case m.has("paid-needs-pending") && paid && (o == nil || !o.seen[r.Pending]):
		return answered(m.Contract.Answers.OK)
	case m.has("hash-set") && paid && m.hashKnown(e):
		return answered(m.Contract.Answers.Duplicate)
	case m.has("latest-timestamp-wins") && o != nil && o.seen[e.state] && e.moment.After(o.latest):
		o.state, o.latest = e.state, e.moment
	}
	return nil
}

// hashKnown reports whether the hash has paid another payment.
func (m *Merchant) hashKnown(e *event) bool {
	key := m.key(m.roles.Hash, e)
	other := m.book.hashes[key]
	if key != "" && other == "" {
		m.book.hashes[key] = e.order
	}
	return other != "" && other != e.order
}

// accountOf is the account that an event is about; "" where it does not say.
func (m *Merchant) accountOf(e *event) string {
	if m.has("account-by-name") {
		return m.key(m.roles.CustomerName, e)
	}
	return m.key(m.roles.Customer, e)
}

// advance moves a payment to the state that an event reports.
func (m *Merchant) advance(o *order, e *event, edge *contract.Edge) {
	o.latest = e.moment
	over := m.overlooksPath(o)
	o.enter(edge)
	if over || m.has("last-event-wins") {
		o.state = e.state
	}
}

// settleBadly has the effects that a bug has in place of the right ones, and
// reports whether it did.
func (m *Merchant) settleBadly(o *order, t *transfer, e *event) bool {
	r := m.roles
	paid := e.state == r.Paid
	price, priced := e.amount(r.Price)
	received, _ := m.receivedBy(t, e)
	switch m.bug {
	case "never-credits":
		return paid
	case "orphan-confirmed":
		o.orphan = o.orphan || e.state == r.Confirmed && o.state == nil && len(t.seen) == 1
		return paid && o.orphan
	case "credit-at-pending":
		if e.state == r.Pending && priced {
			m.credit(o, price)
		}
	case "catch-up-credit":
		if paid && e.said && e.previous == e.state.Subject.Initial.Label() {
			m.credit(o, price)
		}
	case "reverses-when-failed":
		if e.state == r.Failed && o.deliveries > 0 {
			m.refund(o, o.credited)
		}
	case "credit-when-confirmed":
		if e.state == r.Confirmed {
			m.credit(o, received)
		}
	case "credits-in-order":
		if e.state == r.Confirmed {
			m.credit(o, received)
		}
		return paid && o.deliveries == 0
	case "transfer-id-key", "hash-as-key":
		if paid || e.state == r.Confirmed {
			m.creditTransfer(o, e, received, price)
			return true
		}
	case "account-apart":
		if paid && o.deliveries > 0 {
			m.post(o, price)
			return true
		}
	case "refunds-again":
		if m.mismatched(e) {
			m.refund(o, received)
		}
		return m.mismatched(e) || paid && o.deliveries > 0
	case "refunds-twice":
		if e.state == r.Dropped && m.key(r.DropReason, e) == r.Mismatch || m.mismatched(e) {
			m.refund(o, received)
			return true
		}
	}
	return false
}

// creditTransfer credits for each transfer that is new by the bug's lights,
// whichever event tells of it.
func (m *Merchant) creditTransfer(o *order, e *event, received, price payment.Amount) {
	key := "credited " + e.order + " " + e.transfer
	if m.has("hash-as-key") {
		key = "credited " + e.order + " " + m.key(m.roles.Hash, e)
	}
	switch {
	case m.book.keys[key]:
	case e.state == m.roles.Paid:
		m.credit(o, price)
	default:
		m.credit(o, received)
	}
	m.book.keys[key] = true
}

// sum adds two amounts.
func (m *Merchant) sum(a, b payment.Amount) payment.Amount {
	if !m.has("float-sum") {
		return a.Add(b)
	}
	x, _ := strconv.ParseFloat(a.String(), 64)
	y, _ := strconv.ParseFloat(b.String(), 64)
	total, _ := payment.ParseAmount(strconv.FormatFloat(x+y, 'f', -1, 64))
	return total
}
