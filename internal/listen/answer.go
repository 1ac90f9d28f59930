package listen

import (
	"slices"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/verify"
)

// choose picks the documented answer to a verdict.
func (h *Handler) choose(v *verify.Verdict) *contract.Answer {
	a := &h.Contract.Answers
	switch {
	case v.OK() && v.Duplicate:
		return &a.Duplicate
	case v.OK():
		return &a.OK
	case v.Has(verify.WrongPath), v.Has(verify.UnknownEvent):
		return &a.WrongEvent
	case slices.ContainsFunc(v.Findings, aboutForm):
		return &a.Invalid
	}
	return &a.Conflict
}

// aboutForm reports whether a finding says that the payload itself is wrong, and
// not that it contradicts the states.
func aboutForm(f verify.Finding) bool {
	if f.Severity != verify.Violation {
		return false
	}
	switch f.Code {
	case verify.SelfTransition, verify.IllegalTransition, verify.Contradiction, verify.FactDrift, verify.Conflict,
		verify.BrokenRelation, verify.ExcludedState, verify.Duplicate, verify.Late, verify.Gap, verify.RetryExcess:
		return false
	default:
		return true
	}
}

// answer sets the status and the body: the documented one, and the findings
// where there are any.
func (h *Handler) answer(d *Delivery, a *contract.Answer) {
	findings := d.Verdict.Findings
	if h.AlwaysOK {
		a, findings = &h.Contract.Answers.OK, nil
	}
	d.Status = a.Status
	if canned := h.canned[a]; canned != nil && len(findings) == 0 {
		d.Answer = canned
		return
	}
	body := a.Body.Clone()
	if len(findings) > 0 {
		items := make([]jsondoc.Value, len(findings))
		for i, f := range findings {
			items[i] = findingValue(f)
		}
		body.Members = append(body.Members, jsondoc.Member{Name: "findings", Value: jsondoc.ArrayValue(items...)})
	}
	d.Answer = body.AppendCanonical(nil)
}

func findingValue(f verify.Finding) jsondoc.Value {
	var members []jsondoc.Member
	for _, m := range [][2]string{
		{"code", string(f.Code)},
		{"severity", string(f.Severity)},
		{"pointer", f.Pointer},
		{"message", f.Message},
		{"expected", f.Expected},
		{"got", f.Got},
		{"source", f.Source},
	} {
		if m[1] != "" {
			members = append(members, jsondoc.Member{Name: m[0], Value: jsondoc.StringValue(m[1])})
		}
	}
	return jsondoc.ObjectValue(members...)
}
