package conform

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/jsondoc"
)

func resilienceCases() map[string]func(*trial) {
	return map[string]func(*trial){
		"R01":    parallelLoad,
		"R02":    slowHeaders,
		"R03":    cutBodies,
		"R04":    largeBody,
		"R05":    gzipBomb,
		"R06":    idleConnections,
		"R07":    manyRefusals,
		soakCase: soak,
	}
}

// How many events the load is, over how many connections.
const (
	loadEvents      = 200
	loadConnections = 20
)

// parallelLoad sends many events over several connections at once.
func parallelLoad(t *trial) {
	orders, lines := t.manyOrders(loadEvents), make([]*line, loadConnections)
	raw, answers := make([][]byte, loadEvents), make([]answer, loadEvents)
	for i := range lines {
		lines[i] = t.line(t.s.roles.Paid)
	}
	for i, o := range orders {
		r := o.event(t.s.roles.Paid, called("among many at once")).request()
		raw[i], answers[i] = t.bytes(lines[0].u, r), unanswered(r.Label)
	}
	t.parallel(loadConnections, func(i int) {
		for n := i; n < loadEvents; n += loadConnections {
			if answers[n].Result = lines[i].deliver(raw[n]); answers[n].Outcome != deliver.Answered {
				break
			}
		}
		lines[i].close()
	})
	for _, a := range answers {
		t.record(a.sent, a)
		t.promptly(a)
	}
	t.about("many events at once", func() { t.creditedEach(orders) })
	if l := t.s.learned; l.tellsBalance && l.unit != nil && t.s.roles.Customer != nil {
		t.oneCustomer()
	}
}

// oneCustomer pays payments of one customer at the same moment, of whose balance
// none may be lost. An endpoint may refuse one while it works on another: then it
// is delivered again.
func (t *trial) oneCustomer() {
	r, label := t.s.roles, "one of many at once for one customer"
	first := t.begun()
	orders, answers := []*order{first}, make([]answer, loadConnections)
	for range loadConnections - 1 {
		orders = append(orders, t.begun(withText(r.Customer, first.text(r.Customer)), withText(r.CustomerName, first.text(r.CustomerName))))
	}
	t.parallel(len(orders), func(i int) { answers[i] = t.exchange(orders[i].event(r.Paid, called(label)).request()) })
	t.recordAlike(answers)
	for i, a := range answers {
		if t.answered(a); !a.taken(t.s.Contract) {
			t.insist(orders[i].event(r.Paid, called("again, after "+a.came())))
		}
	}
	t.racy = true
	t.about(label, func() {
		t.creditedEach(orders)
		t.sums(first, "the balance of the customer", orders)
	})
}

// promptly ends the case unless the event was accepted in time.
func (t *trial) promptly(a answer) {
	t.inTime(a)
	if !t.accepted(a) {
		t.stop()
	}
}

// How many senders dawdle, how long they take for each byte, and how many sound
// deliveries are made meanwhile, with what pause before each.
const (
	slowSenders     = 20
	slowByte        = 100 * time.Millisecond
	meanwhileEvents = 5
	meanwhilePause  = 300 * time.Millisecond
)

// slowHeaders sends headers byte by byte over some connections, and events over
// others; then it hurries, and expects an answer or a closed connection.
func slowHeaders(t *trial) {
	st := t.usual()
	var sound []*request
	for _, o := range t.manyOrders(meanwhileEvents) {
		sound = append(sound, o.event(st, called("while others send slowly")).request())
	}
	slow := t.begun().event(st, called("its headers sent slowly")).request()
	wires := t.openMany(slowSenders)
	defer closeAll(wires)
	raw := t.bytes(t.line(st).u, slow)
	rest, answers := make([][]byte, len(wires)), make([]answer, 0, len(sound))
	ctx, done := context.WithCancel(t.ctx)
	t.parallel(len(wires)+1, func(i int) {
		if i < len(wires) {
			rest[i] = wires[i].drip(ctx, raw)
			return
		}
		defer done()
		for _, r := range sound {
			if t.s.Wait(ctx, meanwhilePause) != nil {
				return
			}
			if answers = append(answers, t.do(r)); answers[len(answers)-1].Outcome != deliver.Answered {
				return
			}
		}
	})
	for _, a := range answers {
		t.promptly(a)
	}
	for i, w := range wires {
		w.limit(t.s.Timeout)
		w.write(rest[i])
		a := answer{w.answer(slow.method()), slow.Label}
		t.record(a.sent, a)
		t.must(a.Outcome != deliver.TimedOut, "%s: neither answered nor closed", a.sent)
	}
}

// drip sends a request byte by byte until ctx ends, and returns what is left.
func (w *wire) drip(ctx context.Context, raw []byte) []byte {
	for len(raw) > 0 && w.err == nil {
		w.limit(w.t.s.Timeout)
		w.write(raw[:1])
		raw = raw[1:]
		if w.t.s.Wait(ctx, slowByte) != nil {
			break
		}
	}
	return raw
}

// openMany opens connections, as many as the endpoint takes.
func (t *trial) openMany(n int) []*wire {
	var out []*wire
	for range n {
		w, _ := t.dialState(t.usual())
		if w.err != nil {
			break
		}
		out = append(out, w)
	}
	t.must(len(out) > 0, "no connection")
	return out
}

func closeAll(wires []*wire) {
	for _, w := range wires {
		w.close()
	}
}

// cutSenders is how many senders break off.
const cutSenders = 50

// cutBodies sends events that break off in the body, and then some of them
// whole, as the gateway's retry would.
func cutBodies(t *trial) {
	st, orders := t.s.roles.Paid, t.manyOrders(cutSenders)
	for _, o := range orders {
		r := o.event(st, called("broken off in its body")).request()
		w, u := t.dialState(st)
		raw := t.bytes(u, r)
		w.write(raw[:len(raw)-1-t.rng.IntN(len(r.Body)-1)])
		w.close()
		t.record(r.Label, answer{&deliver.Result{Outcome: deliver.Unknown}, r.Label})
		t.must(w.conn != nil, "%s: no connection", r.Label)
	}
	t.each(orders, anything, t.countNone)
	for _, o := range []*order{orders[0], orders[cutSenders-1]} {
		a := t.send(o.event(st, called("whole, after it was broken off")))
		if t.accepted(a) {
			t.about(a.sent, func() { t.once(o) })
		}
	}
}

// countNone fails if the effect shows a credit.
func (t *trial) countNone(_ *order, e Effect) {
	if e.shows() {
		t.fail("credited although its delivery was broken off (%s)", e)
		return
	}
	t.believe()
}

// How long a member is that makes a body large, and one that does not.
const (
	largePadding = 1_000_000
	smallPadding = 10
)

// largeBody sends an event with a member of a megabyte that nobody knows. One
// with a small such member tells whether it is the size that is refused.
func largeBody(t *trial) {
	padded := func(size int, what string) (*order, *request) {
		o := t.begun()
		filling := jsondoc.StringValue(strings.Repeat("0", size))
		return o, o.event(t.usual(), put(jsondoc.Pointer{"padding"}, filling), called(what)).request()
	}
	_, small := padded(smallPadding, "with a small member that it need not know")
	control := t.do(small)
	o, large := padded(largePadding, "with such a member of 1 MB")
	a := t.upload(large)
	switch why := a.unseen(); {
	case why != "" && a.Status != control.Status:
		t.cannotTell("%s: %s", a.sent, why)
	case a.success(t.s.Contract):
		t.taken(o, a)
	case a.Status == control.Status && a.Status/100 == 4 && a.Outcome == deliver.Answered:
		t.cannotTell("%s: %s, as it is to a small one, so nothing is known of the size", a.sent, a.came())
	default:
		t.refused(a, append(slices.Clone(t.s.Contract.Delivery.Success), http.StatusRequestEntityTooLarge)...)
	}
}

// upload sends a request whose answer may come before all of it is sent.
func (t *trial) upload(r *request) answer {
	const tries = 3
	a := unanswered(r.Label)
	for range tries {
		w, u := t.dialState(t.usual())
		raw := t.bytes(u, r)
		t.parallel(2, func(i int) {
			if i == 0 {
				w.write(raw)
				return
			}
			a.Result = w.answer(r.method())
			w.close()
		})
		if t.record(r.Label, a); !a.lost() {
			break
		}
	}
	return a
}

// lost reports whether the connection broke before the answer to a large body
// could be read: an endpoint that closes it without having read all of the body
// may take its own answer back by that.
func (a answer) lost() bool {
	return a.Outcome == deliver.Unknown && !errors.Is(a.Err, io.EOF) && !errors.Is(a.Err, io.ErrUnexpectedEOF)
}

// unseen says why nobody can tell how the endpoint answered a body that it need
// not have read to its end, "" where that can be seen.
func (a answer) unseen() string {
	switch {
	case a.lost():
		return "it closed the connection, and its answer was lost"
	case a.Outcome == deliver.Answered && a.Status == http.StatusBadGateway:
		return a.came() + ", which a proxy says whose server closed the connection: because it refused to read more, or because it died"
	}
	return ""
}

// The size of what a small body unpacks to, and of the pieces it is made of.
const (
	bombPieces = 100
	bombPiece  = 1_000_000
)

// gzipBomb sends an event with a member of 100 MB, which compression makes small.
func gzipBomb(t *trial) {
	_, r := t.withHeader(contentEncoding, "gzip", "compressed by gzip, 100 MB unpacked")
	r.Body = bomb(r.Body)
	a := t.upload(r)
	if why := a.unseen(); why != "" {
		t.cannotTell("%s: %s", a.sent, why)
		return
	}
	t.turnedAway(a, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusBadRequest)
}

// bomb adds a huge member to a JSON object and compresses it, piece by piece, so
// that it is nowhere unpacked.
func bomb(object []byte) []byte {
	head := append(bytes.TrimSuffix(slices.Clone(object), []byte("}")), `,"padding":"`...)
	piece, tail := bytes.Repeat([]byte("0"), bombPiece), []byte(`"}`)
	out := []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff} // the header of RFC 1952
	out = append(out, deflated(head, false)...)
	out = append(out, bytes.Repeat(deflated(piece, false), bombPieces)...)
	out = append(out, deflated(tail, true)...)
	sum := crc32.ChecksumIEEE(head)
	for range bombPieces {
		sum = crc32.Update(sum, crc32.IEEETable, piece)
	}
	out = binary.LittleEndian.AppendUint32(out, crc32.Update(sum, crc32.IEEETable, tail))
	return binary.LittleEndian.AppendUint32(out, uint32(len(head)+bombPieces*bombPiece+len(tail)))
}

// deflated compresses b on its own, as whole bytes to which more can be added
// unless it is the last.
func deflated(b []byte, last bool) []byte {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		return nil // the level is a valid one
	}
	_, _ = w.Write(b) // a bytes.Buffer takes all
	if _ = w.Flush(); last {
		_ = w.Close()
	}
	return out.Bytes()
}

// idleSenders is how many connections are opened and not used.
const idleSenders = 200

// idleConnections sends an event while many connections are open.
func idleConnections(t *trial) {
	defer closeAll(t.openMany(idleSenders))
	o, r := t.variant("while many connections are idle")
	t.taken(o, t.do(r))
}

// manyBad is how many deliveries of a kind are refused in a row.
const manyBad = 200

// manyRefusals sends what is refused, again and again, and then a valid event.
func manyRefusals(t *trial) {
	_, forged := t.variant("with the signature of another body")
	forged.Signed, forged.Label = []byte("{}"), "a signature of another body"
	kinds := []*request{{Path: t.usual().Path, Body: []byte("{"), Label: "broken JSON"}, forged}
	if len(t.s.Secrets) == 0 {
		kinds = kinds[:1] // without a secret nothing can be forged
	}
	for _, r := range kinds {
		refused := 0
		for range manyBad {
			a := t.do(r)
			if a.Outcome != deliver.Answered {
				break
			}
			if a.Status/100 == 4 {
				refused++
			}
		}
		if refused == 0 {
			t.cannotTell("%s is not refused, so nothing could be refused often", r.Label)
		}
		o, valid := t.variant(fmt.Sprintf("after %d times %s", manyBad, r.Label))
		t.taken(o, t.do(valid))
	}
}

// The soak's least pause before each event, and what counts as slower: the median of
// its last part is more than slowFactor times that of its first, and more than
// slowFloor.
const (
	soakEvents  = 6000 // at most
	soakPause   = 10 * time.Millisecond
	soakParts   = 4
	soakLeast   = 3 // deliveries in a part
	slowFactor  = 4
	slowFloor   = 50 * time.Millisecond
	moreRefused = 20 // one in so many
)

// soak sends valid events for as long as the user says.
func soak(t *trial) {
	var all []answer
	started, known := t.s.Now(), len(t.ids)
	var rest []event
	for t.s.Now().Sub(started) < t.s.Soak {
		if len(rest) == 0 {
			rest = t.order().flow()
			t.ids = t.ids[:known] // there would be too many
		}
		called("one of a steady stream")(&rest[0])
		a := t.send(rest[0])
		rest = rest[1:]
		t.must(a.Outcome == deliver.Answered, "%s: %s", a.sent, a.came())
		if all = append(all, a); t.s.Wait(t.ctx, max(soakPause, t.s.Soak/soakEvents)) != nil {
			t.stop()
		}
	}
	n := len(all) / soakParts
	if n < soakLeast {
		t.cannotTell("too few events were sent to compare the last with the first: give more time with --soak")
		return
	}
	t.steady(all[:n], all[len(all)-n:])
}

// steady fails if the last deliveries were much slower than the first, or more
// of them refused.
func (t *trial) steady(first, last []answer) {
	if before, after := median(first), median(last); after > slowFactor*before && after > slowFloor {
		t.fail("its answers took longer and longer: in the end more than %d times as long as at first", slowFactor)
	}
	before, after := t.refusals(first), t.refusals(last)
	switch {
	case after > 2*before && after*moreRefused > len(last):
		t.fail("valid events were refused in the end more often than at first")
	case after+before > 0:
		t.note("some valid events were refused, at first as in the end")
	}
}

func median(answers []answer) time.Duration {
	var all []time.Duration
	for _, a := range answers {
		all = append(all, a.Latency)
	}
	slices.Sort(all)
	return all[len(all)/2]
}

func (t *trial) refusals(answers []answer) (n int) {
	for _, a := range answers {
		if !a.success(t.s.Contract) {
			n++
		}
	}
	return n
}
