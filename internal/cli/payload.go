package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/suggest"
)

const maxCount = 1_000_000

// payloadOptions say which payloads are made.
type payloadOptions struct {
	seed       uint64
	seedGiven  bool
	now        string
	documented bool
	facts      []string
	edits      []generate.Edit
	count      int
	previous   string
	outcome    string
	force      bool
}

// flags declares the flags that payload and send share.
func (o *payloadOptions) flags(a *app, cmd *cobra.Command) {
	f := cmd.Flags()
	f.Uint64Var(&o.seed, "seed", 0, "make the payment of this `number`; the same seed gives the same bytes (default random)")
	f.StringVar(&o.now, "now", "", "the `time` of the event, RFC 3339 or \"now\" (default now; with --seed the documented one)")
	f.BoolVar(&o.documented, "documented", false, "take the documented sample, value for value")
	f.Var(texts{&o.facts}, "fact", "set a fact of the payment wherever it occurs, as `name=value`; may be repeated")
	o.edit(f, generate.Set, "set", "replace a member, as `path=value` or path:=JSON; may be repeated")
	o.edit(f, generate.Set, "override", "the same as --set")
	o.edit(f, generate.Add, "add", "replace or add a member, as `path=value` or path:=JSON; may be repeated")
	o.edit(f, generate.Remove, "remove", "remove the member at this `path`; may be repeated")
	f.IntVar(&o.count, "count", 1, "make this `number` of payments, one payload a line")
	f.StringVar(&o.previous, "previous-state", "", "the `state` that was left (default the usual one)")
	f.StringVar(&o.outcome, "outcome", "", "the `state` the payment comes to, whose facts it has from the start")
	f.BoolVar(&o.force, "force", false, "make what the contract forbids: a state no webhook carries, an illegal previous state")
	grouped(cmd, "The payload:", "seed", "now", "documented", "fact", "set", "override", "add", "remove", "count", "previous-state", "outcome", "force")
	once(cmd, "seed", "now", "documented", "fact", "set", "override", "add", "remove", "count", "previous-state", "outcome", "force")
	states := func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		c, err := a.contract()
		if err != nil || len(args) == 0 || c.Subject(args[0]) == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		sub := c.Subject(args[0])
		return append([]string{sub.Initial.Name}, sub.StateNames()...), cobra.ShellCompDirectiveNoFileComp
	}
	_ = cmd.RegisterFlagCompletionFunc("previous-state", states)
	_ = cmd.RegisterFlagCompletionFunc("outcome", states)
	_ = cmd.RegisterFlagCompletionFunc("fact", a.completeFacts)
	for _, name := range []string{"set", "override", "add", "remove"} {
		_ = cmd.RegisterFlagCompletionFunc(name, a.completePaths(name != "remove"))
	}
	for _, name := range []string{"seed", "now", "count"} {
		noFiles(cmd, name, cobra.ShellCompDirectiveNoFileComp)
	}
}

func (a *app) completeFacts(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	c, err := a.contract()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []string
	for _, f := range c.Facts {
		out = append(out, f.Name+"=\t"+f.Meaning)
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

func (a *app) completePaths(value bool) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		c, err := a.contract()
		if err != nil || len(args) < 2 || c.Subject(args[0]) == nil || c.Subject(args[0]).State(args[1]) == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var out []string
		for _, f := range c.Subject(args[0]).State(args[1]).Fields() {
			if value {
				out = append(out, f.Path()+"=\t"+f.Fact.Meaning)
			} else {
				out = append(out, f.Path()+"\t"+f.Fact.Meaning)
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

// generated are the flags that say how values are made.
func generated() []string {
	return []string{"seed", "now", "fact", "count", "previous-state", "outcome", "force"}
}

// check refuses flags that contradict each other.
func (o *payloadOptions) check(cmd *cobra.Command) error {
	o.seedGiven = cmd.Flags().Changed("seed")
	return exclusive(cmd, "documented", generated()...)
}

// editFlag appends to the one list of edits, so that they are made in the order
// in which they were typed.
type editFlag struct {
	edits *[]generate.Edit
	kind  generate.EditKind
}

func (o *payloadOptions) edit(f *pflag.FlagSet, kind generate.EditKind, name, help string) {
	f.Var(&editFlag{&o.edits, kind}, name, help)
}

func (e *editFlag) String() string { return "" }

func (e *editFlag) Type() string { return "path=value" }

func (e *editFlag) Set(s string) error {
	*e.edits = append(*e.edits, generate.Edit{Kind: e.kind, Expression: s})
	return nil
}

// Append, Replace and GetSlice make it a repeatable flag, as settings see it.
func (e *editFlag) Append(s string) error { return e.Set(s) }

func (e *editFlag) Replace(all []string) error {
	for _, s := range all {
		_ = e.Set(s)
	}
	return nil
}

func (e *editFlag) GetSlice() []string {
	var out []string
	for _, x := range *e.edits {
		if x.Kind == e.kind {
			out = append(out, x.Expression)
		}
	}
	return out
}

// maker makes the payloads that the options ask for.
type maker struct {
	c       *contract.Contract
	o       *payloadOptions
	states  []*contract.State
	now     time.Time // when the last of the states happens; zero: the payment starts at the documented moment
	facts   map[*contract.Fact]jsondoc.Value
	outcome *contract.State
	// repeat are the flags that make the same payloads again; empty when the
	// user has given them already, or when there is nothing random.
	repeat string
}

// maker checks the options; the states are those that will be asked for.
func (a *app) maker(c *contract.Contract, o *payloadOptions, states []*contract.State) (*maker, error) {
	m := &maker{c: c, o: o, states: states, facts: map[*contract.Fact]jsondoc.Value{}}
	if o.count < 1 || o.count > maxCount {
		return nil, usage("--count %d: it takes a number from 1 to %d", o.count, maxCount)
	}
	for _, s := range o.facts {
		if err := m.fact(s); err != nil {
			return nil, err
		}
	}
	if err := m.choose(states); err != nil {
		return nil, err
	}
	return m, m.clock(a)
}

func (m *maker) fact(s string) error {
	name, typed, ok := strings.Cut(s, "=")
	if !ok {
		return usage("--fact %q: it takes name=value", s)
	}
	f := m.c.Fact(name)
	if f == nil {
		return usage("--fact %q: unknown fact %q%s", s, name, suggest.Among(name, "facts", m.c.FactNames()))
	}
	v, err := payment.FactValue(f, typed)
	if err != nil {
		return usage("%w", err)
	}
	m.facts[f] = v
	return nil
}

// choose finds the outcome, and refuses one that the states rule out.
func (m *maker) choose(states []*contract.State) error {
	if m.o.outcome == "" {
		return nil
	}
	main := m.c.Subjects[0]
	m.outcome = main.State(m.o.outcome)
	if m.outcome == nil {
		return usage("--outcome %q: unknown state for %s%s", m.o.outcome, main.Name, suggest.Among(m.o.outcome, "states", main.StateNames()))
	}
	for _, st := range states {
		if st.Subject == main && !st.Reaches(m.outcome) {
			return usage("--outcome %s: no path leads from %s to it", m.outcome.Name, st)
		}
		for _, rel := range m.outcome.Relations {
			if rel.Never == st {
				return usage("--outcome %s: %s and %s contradict each other: %s", m.outcome.Name, m.outcome, st, rel.Basis())
			}
		}
	}
	return nil
}

// clock places the payment in time: the last of the states happens now.
func (m *maker) clock(a *app) error {
	if m.o.documented || m.o.seedGiven && m.o.now == "" {
		return nil
	}
	var err error
	if m.now, err = a.moment(m.c, m.o.now); err != nil {
		return err
	}
	if !m.o.seedGiven {
		m.o.seed = a.Seed()
		m.repeat = fmt.Sprintf("--seed %d --now %s", m.o.seed, m.now.Format(payment.TimeLayout))
	}
	return nil
}

// moment is the time that --now names, to the millisecond; now where it names none.
func (a *app) moment(c *contract.Contract, s string) (time.Time, error) {
	t := a.Now()
	if s != "" && s != "now" {
		var err error
		if t, err = time.Parse(time.RFC3339Nano, s); err != nil || t.Year() < 1000 {
			return t, usage("--now %q: it takes an RFC 3339 time such as %s, or now", s, c.Epoch.Format(payment.TimeLayout))
		}
	}
	return t.UTC().Truncate(time.Millisecond), nil
}

// payment returns payment number index, which comes to the given states.
func (m *maker) payment(index int, toward ...*contract.State) *payment.Payment {
	o := payment.Options{Seed: m.o.seed, Index: uint64(index), Start: m.c.Epoch, Facts: m.facts, Toward: toward}
	if !m.now.IsZero() {
		var last time.Duration
		for _, st := range m.states {
			last = max(last, payment.New(m.c, o).Offset(st))
		}
		o.Start = m.now.Add(-last)
	}
	return payment.New(m.c, o)
}

// payload makes the payload of one state of payment number index.
func (m *maker) payload(st *contract.State, index int) (jsondoc.Value, error) {
	doc, err := m.unedited(st, index)
	if err != nil {
		return doc, usage("%w", err)
	}
	for _, e := range m.o.edits {
		if err := e.Apply(&doc); err != nil {
			return doc, usage("%w", err)
		}
	}
	return doc, nil
}

func (m *maker) unedited(st *contract.State, index int) (jsondoc.Value, error) {
	if m.o.documented {
		if st.IsInitial() {
			return jsondoc.Value{}, fmt.Errorf("no webhook carries %s, so no sample of it is documented", st)
		}
		return st.Sample.Clone(), nil
	}
	o := generate.Options{Force: m.o.force}
	if m.o.previous != "" {
		if o.Previous = st.Subject.State(m.o.previous); o.Previous == nil {
			all := append([]string{st.Subject.Initial.Name}, st.Subject.StateNames()...)
			return jsondoc.Value{}, fmt.Errorf("--previous-state %q: unknown state for %s%s", m.o.previous, st.Subject.Name, suggest.Among(m.o.previous, "states", all))
		}
	}
	toward := []*contract.State{st}
	if m.outcome != nil {
		toward = append(toward, m.outcome)
	}
	return generate.Payload(m.c, m.payment(index, toward...), st, o)
}

func newPayload(a *app) *cobra.Command {
	var o payloadOptions
	var all, pretty bool
	cmd := &cobra.Command{
		Use:   "payload [SUBJECT [STATE]]",
		Short: "Print the payload of a state; without one, list what exists",
		Long: `Print the payload of a state as the gateway sends it: a line of canonical JSON.

All payloads of one seed are the same payment. A fact set with --fact changes
wherever it occurs, and what follows from it; --set, --add and --remove change
single members, in the order given, and may break the contract.`,
		Example: `  paytest payload                                what exists
  paytest payload {subject} {state}               a payment that happens now
  paytest payload {subject} {state} --seed 7      always the same bytes
  paytest payload {subject} {state} --documented  the documented sample
  paytest payload --all --seed 7                 every state of one payment`,
		Args:              atMost(2),
		ValidArgsFunction: a.completeStates,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd); err != nil {
				return err
			}
			c, err := a.contract()
			if err != nil {
				return err
			}
			switch {
			case all && len(args) > 0:
				return usage("--all prints every state; it takes no %s", args[0])
			case all:
				return a.printPayloads(c, &o, c.States(), pretty)
			case len(args) < 2:
				return a.listStates(c, args)
			}
			st, err := stateArgs(c, args)
			if err != nil {
				return err
			}
			return a.printPayloads(c, &o, []*contract.State{st}, pretty)
		},
	}
	o.flags(a, cmd)
	cmd.Flags().BoolVar(&all, "all", false, "print the payload of every state")
	cmd.Flags().BoolVar(&pretty, "pretty", false, "indent the JSON, for reading")
	once(cmd, "all", "pretty")
	return cmd
}

func (a *app) printPayloads(c *contract.Contract, o *payloadOptions, states []*contract.State, pretty bool) error {
	m, err := a.maker(c, o, states)
	if err != nil {
		return err
	}
	var buf []byte
	for i := range o.count {
		for _, st := range states {
			doc, err := m.payload(st, i)
			if err != nil {
				return err
			}
			if pretty {
				buf = doc.AppendIndent(buf, "  ")
			} else {
				buf = doc.AppendLiteral(buf)
			}
			buf = append(buf, '\n')
		}
		if len(buf) > 1<<16 {
			a.out.Raw(buf)
			buf = buf[:0]
		}
	}
	a.out.Raw(buf)
	for _, hint := range m.hints(states...) {
		a.err.Line(report.S(report.Faint, "%s", hint))
	}
	return nil
}

// hints are what a user should know of the payloads made: how to make the same
// ones again, and that a state has bent the payment's facts, so that its other
// events must be told of it.
func (m *maker) hints(states ...*contract.State) []string {
	var out []string
	if m.repeat != "" {
		out = append(out, "the same again: "+m.repeat)
	}
	if len(states) == 1 && m.outcome == nil && !m.o.documented && m.bends(states[0]) {
		out = append(out, fmt.Sprintf("this payment ends in %s: its other events need --outcome %s", states[0], states[0].Name))
	}
	return out
}

// bends reports whether a state's relations change facts that other events of
// the payment carry.
func (m *maker) bends(st *contract.State) bool {
	if st.Subject != m.c.Subjects[0] {
		return false
	}
	free, bent := m.payment(0), m.payment(0, st)
	for _, f := range m.c.Facts {
		if f.Scope != nil && f.Generate != nil && !payment.Equal(f, free.Fact(f, st), bent.Fact(f, st)) {
			return true
		}
	}
	return false
}

func (a *app) listStates(c *contract.Contract, args []string) error {
	subjects, err := subjectsArg(c, args)
	if err != nil {
		return err
	}
	for i, sub := range subjects {
		if i > 0 {
			a.out.Line()
		}
		a.out.Line(report.S(report.Strong, "%s", sub.Name), report.S(report.Faint, "  %s", sub.Meaning))
		for _, st := range sub.States {
			derived := ""
			if st.Derived != "" {
				derived = "  derived"
			}
			a.out.Line(report.S(report.Accent, "  %s", report.Pad(st.Name, 10)), report.T("  %s", report.Pad(st.Event, 20)), report.T("  %s", comesFrom(st)), report.S(report.Faint, "%s", derived))
		}
	}
	return nil
}

func comesFrom(st *contract.State) string {
	from := make([]string, len(st.From))
	for i, e := range st.From {
		from[i] = e.From.Label()
	}
	return strings.Join(from, "|") + "→" + st.Wire
}
