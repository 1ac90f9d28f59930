package conform

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/signature"
)

// Options say what is tested, and how. All but Header, Scheme, Secrets, Retired,
// Probe, Mapping, Restart, Break, OnCase and OnResult are required.
type Options struct {
	Contract *contract.Contract
	Catalog  *Catalog
	// Cases are carried out in this order.
	Cases   []*Case
	Profile Profile
	// Target is what the user gave, URL says where events of a path go.
	Target string
	URL    func(path string) (*url.URL, error)
	// Client delivers; Timeout is its limit for one answer.
	Client  *deliver.Client
	Timeout time.Duration
	// Header is sent along with every delivery.
	Header http.Header
	// Scheme signs with the first of Secrets; the others are in use, too, and those
	// in Retired no longer. Without a secret nothing is signed.
	Scheme           signature.Scheme
	Secrets, Retired []signature.Secret
	// Serves reports whether the endpoint takes a state's events.
	Serves func(*contract.State) bool
	// Probe asks the merchant for effects, nil if nobody can; Settle is how long an
	// effect may take to show.
	Probe   Probe
	Mapping Mapping
	Settle  time.Duration
	// Restart restarts the endpoint, Break makes its next delivery fail half-way;
	// nil where nobody can.
	Restart, Break func(context.Context) error
	// Soak is how long R08 lasts, Budget how long any other case may take, Limit
	// when no further case is begun.
	Soak, Budget, Limit time.Duration
	// Patience is how long an endpoint that stumbled, or was restarted, may take to
	// accept valid events again.
	Patience time.Duration
	// Seed determines all that is random but for the identifiers of payments, which
	// Salt keeps apart from those of other runs.
	Seed, Salt uint64
	Now        func() time.Time
	Wait       func(context.Context, time.Duration) error
	// Reproduce and Version go into the report.
	Reproduce, Version string
	// OnCase is called before, OnResult after each case, and once more for one that is
	// found to have failed when all are over.
	OnCase   func(c *Case, n, of int)
	OnResult func(Result)
}

// session is one run.
type session struct {
	Options
	roles *contract.Roles
	// whole is what Serves was before it was narrowed to the transfers that credit,
	// nil where it was not.
	whole func(*contract.State) bool
	// functions carry out the cases, by identifier.
	functions map[string]func(*trial)
	learned   learned
	// watched are the payments that are looked at again in the end.
	watched []watch
	// down says that the command failed that should have restarted the endpoint.
	down bool
	// notes are what was learned that a user should know.
	notes []string
	// pulse is the state whose event shows that the endpoint is alive.
	pulse *contract.State
}

// How often a probe is asked, and an endpoint that stumbled.
const (
	pollEvery    = 10 * time.Millisecond
	recoverTries = 20
)

// Run carries out the cases and returns what became of each, also when ctx ends
// first. The errors are those of an endpoint that cannot be reached, a
// *deliver.Failure, and of a probe that does not work, which wrap ErrProbe.
func Run(ctx context.Context, o Options) (*Report, error) {
	s := &session{Options: o, roles: o.Contract.Roles, functions: functions()}
	r := &Report{
		Target: o.Target, Seed: o.Seed, Profile: o.Profile, Probe: o.Probe != nil, Meanings: o.Catalog.Meanings,
		Reproduce: o.Reproduce, Version: o.Version, Started: o.Now(),
	}
	why, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	r.Problem, r.Notes = why, s.notes
	for i, spec := range o.Cases {
		res := Result{Case: spec, Status: NotRun, Problem: why}
		if why == "" {
			why = s.over(ctx, r.Started)
			res.Problem = why
		}
		if why == "" {
			if o.OnCase != nil {
				o.OnCase(spec, i+1, len(o.Cases))
			}
			res = s.carryOut(ctx, spec)
			why = s.recovered(ctx, &res)
		}
		r.Results = append(r.Results, res)
		if o.OnResult != nil {
			o.OnResult(res)
		}
	}
	s.recheck(ctx, r)
	r.Duration = o.Now().Sub(r.Started)
	return r, ctx.Err()
}

// over says why no further case is begun.
func (s *session) over(ctx context.Context, started time.Time) string {
	switch {
	case ctx.Err() != nil:
		return "interrupted"
	case s.Now().Sub(started) > s.Limit:
		return fmt.Sprintf("the time for all cases, %s, is over (--max-time)", s.Limit)
	}
	return ""
}

// begin sends a valid event, and learns what a paid payment looks like. It
// returns why nothing can be tested.
func (s *session) begin(ctx context.Context) (string, error) {
	t := s.trial(ctx, &Case{ID: "begin"})
	answered := unanswered("")
	problem := t.guarded(func() { answered = t.firstAccepted() })
	if answered.Outcome == deliver.Unreachable && answered.RemoteAddr == "" || answered.Outcome == deliver.Refused {
		return "", answered.Err
	}
	switch {
	case problem != "":
		return problem, nil
	case !answered.taken(s.Contract):
		return "the endpoint does not accept a valid event: " + answered.came() + s.hint(answered), nil
	case s.Probe == nil:
		return "", nil
	}
	return t.guarded(func() { t.learn() }), t.probeErr
}

func (s *session) hint(a answer) string {
	switch {
	case a.Status == http.StatusUnauthorized && len(s.Secrets) == 0:
		return "; it is not signed: give the shared secret with --secret-file"
	case a.Status == http.StatusUnauthorized:
		return "; is it the endpoint's secret that --secret-file holds?"
	case a.Status == http.StatusNotFound:
		return "; does the URL lead to the endpoint? A URL with a path is used as it is"
	}
	return ""
}

// carryOut runs one case.
func (s *session) carryOut(ctx context.Context, spec *Case) Result {
	started := s.Now()
	budget := s.Budget
	if spec.ID == soakCase {
		budget += s.Soak
	}
	limited, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	t := s.trial(limited, spec)
	if why, served := s.lacks(spec); why != "" {
		return Result{Case: spec, Status: map[bool]Status{false: NotRun, true: Unproven}[served], Problem: why}
	}
	if problem := t.guarded(func() { s.functions[spec.ID](t) }); problem != "" {
		t.cannotTell("%s", problem)
	}
	if ctx.Err() != nil && len(t.problems) == 0 {
		return Result{Case: spec, Status: NotRun, Problem: "interrupted", Duration: s.Now().Sub(started)}
	}
	if limited.Err() != nil && len(t.problems) == 0 {
		t.skipped, t.doubts = "", []string{"it was not finished within " + budget.String() + " (--case-time)"}
	}
	res := t.result()
	res.Duration = s.Now().Sub(started)
	return res
}

// lacks says which event of a case the endpoint does not serve, or which two are
// one; served says that it does serve all, though it credits by transfers alone.
func (s *session) lacks(spec *Case) (why string, served bool) {
	why = lacking(spec, s.told(spec), s.Contract.Roles, s.trial(context.Background(), spec).served)
	if why == "" || s.whole == nil || lacking(spec, s.Contract.Roles, s.Contract.Roles, s.whole) != "" {
		return why, false
	}
	return "the endpoint credits a payment by " + s.roles.Paid.String() + ", so the events of this case are not sent although it serves them", true
}

func lacking(spec *Case, roles, documented *contract.Roles, serves func(*contract.State) bool) string {
	needed := map[*contract.State]string{}
	for _, role := range spec.Needs {
		st := roles.States()[role]
		if st == nil {
			st = documented.States()[role]
		}
		switch {
		case st != nil && needed[st] != "":
			return "the endpoint is told by one event that a payment is " + needed[st] + " and " + role
		case st == nil:
			return "the contract has no state in the role " + role
		case !serves(st):
			return "the endpoint does not serve " + st.Event
		}
		needed[st] = role
	}
	return ""
}

// recovered shows that the endpoint still takes valid events, which is part of
// every case. It returns why no other case can be run.
func (s *session) recovered(ctx context.Context, res *Result) string {
	if res.Status == NotRun || ctx.Err() != nil {
		return ""
	}
	ask := func(try int) (string, bool) {
		return s.trial(ctx, &Case{ID: fmt.Sprintf("%s alive %d", res.Case.ID, try)}).pulseOf()
	}
	first, busy := ask(0)
	if first == "" || ctx.Err() != nil {
		return ""
	}
	back := s.comesBack(ctx, ask)
	if back && busy {
		res.Notes = append(res.Notes, "for a while afterwards it answered no valid event in time")
		return ""
	}
	problem := "afterwards a valid event is not accepted: " + first
	if res.Problem != "" {
		problem = res.Problem + "; " + problem
	}
	if res.Problem = problem; !s.down {
		res.Status = Failed
	}
	if !back && s.Restart != nil && s.Restart(ctx) == nil {
		res.Notes = append(res.Notes, "it had to be restarted")
		back = s.comesBack(ctx, ask)
	}
	switch {
	case back:
		return ""
	case s.Restart == nil:
		return "the endpoint stopped taking valid events after case " + res.Case.ID + "; with --restart-cmd the others are run"
	}
	return "the endpoint stopped taking valid events after case " + res.Case.ID
}

// comesBack waits until a valid event is accepted, and reports whether it was.
func (s *session) comesBack(ctx context.Context, ask func(try int) (string, bool)) bool {
	for try := range recoverTries {
		if s.Wait(ctx, s.Patience/recoverTries) != nil {
			return false
		}
		if problem, _ := ask(try + 1); problem == "" {
			return true
		}
		if s.Timeout*time.Duration(try+1) > s.Patience {
			return false // each attempt takes its whole time
		}
	}
	return false
}

// pulseOf is alive, and says whether what is wrong may be that the endpoint has
// too much to do.
func (t *trial) pulseOf() (problem string, busy bool) {
	a := unanswered("")
	if problem := t.guarded(func() { a = t.ping() }); problem != "" {
		return problem, false
	}
	if !a.taken(t.s.Contract) {
		return a.came(), a.Outcome == deliver.TimedOut || a.Outcome == deliver.Unreachable && late(a.Err)
	}
	return "", false
}

// alive sends a valid event; it returns what was wrong with the answer.
func (t *trial) alive() (problem string) {
	problem, _ = t.pulseOf()
	return problem
}

// ping sends an event of a new payment that the endpoint is known to accept, or
// else the first that it serves.
func (t *trial) ping() answer { return t.send(t.order().event(t.pulses()[0])) }

// pulses are the states whose events may show that the endpoint is alive, in the
// documented order; panics with the reason if there are none.
func (t *trial) pulses() []*contract.State {
	if t.s.pulse != nil {
		return []*contract.State{t.s.pulse}
	}
	states := append(slices.Clone(t.s.Contract.Flow), t.s.Contract.States()...)
	states = slices.DeleteFunc(states, func(st *contract.State) bool { return !t.s.Serves(st) })
	if len(states) == 0 {
		panic(stopCase{"the endpoint serves no event of the contract"})
	}
	return states
}

// firstAccepted sends one event of each state until one is accepted, whose state
// is the pulse from then on. An endpoint that refuses one kind of event can still
// be tested; the answer is the first where none is accepted.
func (t *trial) firstAccepted() (first answer) {
	for i, st := range t.pulses() {
		a := t.send(t.order().event(st))
		if i == 0 {
			first = a
		}
		switch {
		case a.taken(t.s.Contract):
			t.s.pulse = st
			return a
		case a.Outcome != deliver.Answered:
			return first
		}
	}
	return first
}

// shows reports whether the payment was credited or its goods handed out.
func (e Effect) shows() bool {
	return e.Credited != nil && e.Credited.Sign() != 0 || e.Deliveries != nil && e.Deliveries.Sign() != 0
}

// poll asks the probe until the effect is as wanted, or Settle is over.
func (t *trial) poll(o *order, wanted func(Effect) bool) (Effect, error) {
	return t.pollUntil(t.s.Now().Add(t.s.Settle), o, wanted)
}

// pollUntil is poll with another end.
func (t *trial) pollUntil(deadline time.Time, o *order, wanted func(Effect) bool) (Effect, error) {
	for {
		e, err := t.probe(o)
		if err != nil || wanted(e) || !t.s.Now().Before(deadline) {
			return e, err
		}
		if err := t.s.Wait(t.ctx, pollEvery); err != nil {
			return e, err
		}
	}
}

// probe asks once.
func (t *trial) probe(o *order) (Effect, error) {
	raw, known, err := t.s.Probe(t.ctx, o.names())
	if err != nil || !known {
		return Effect{}, err
	}
	e, err := t.s.Mapping.read(raw)
	return e.shifted(-t.s.learned.places), err
}
