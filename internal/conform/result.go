package conform

import (
	"strings"
	"time"
)

// Status is how a case ended.
type Status string

// The statuses. Only Passed is good news.
const (
	Passed Status = "passed"
	Failed Status = "failed"
	// Unproven is a case that found nothing wrong in the answers, but could not see
	// what it is about.
	Unproven Status = "unproven"
	// NotRun is a case that was not carried out.
	NotRun Status = "not-run"
)

// Statuses lists them.
func Statuses() []Status { return []Status{Passed, Failed, Unproven, NotRun} }

// Exchange is one thing that was sent, and what came back.
type Exchange struct {
	// Sent and Came say it in words without identifiers, so that two runs of one
	// seed say the same.
	Sent string `json:"sent"`
	Came string `json:"came"`
	// Latency is the time from the first byte sent to the last received.
	Latency time.Duration `json:"-"`
}

// Result is what became of a case.
type Result struct {
	Case   *Case
	Status Status
	// Problem says what was wrong, or why nothing was proven or run; empty when
	// passed.
	Problem string
	// Notes are what a user should know although nothing is wrong.
	Notes []string
	// Exchanges are the last ones, at most maxExchanges; Sent counts them all.
	Exchanges []Exchange
	Sent      int
	Duration  time.Duration
	// Known says that a baseline lists the failure.
	Known bool
}

// Report is what became of a run.
type Report struct {
	Target string
	Seed   uint64
	// Profile is the one asked for, Probe whether effects could be seen.
	Profile Profile
	Probe   bool
	// Problem says why the endpoint could not be tested at all.
	Problem string
	// Notes are what was found out about the endpoint before the first case.
	Notes   []string
	Results []Result
	// Mended are the cases that a baseline lists as failing and that passed.
	Mended   []string
	Meanings map[string]string
	// Reproduce is the command that repeats one case; the first %s in it stands for
	// the case.
	Reproduce string
	Started   time.Time
	Duration  time.Duration
	Version   string
}

// Count returns how many cases ended in a status; an empty category means all.
func (r *Report) Count(category string, s Status) int {
	n := 0
	for _, res := range r.Results {
		if res.Status == s && (category == "" || res.Case.Category == category) {
			n++
		}
	}
	return n
}

// Categories lists those that have results, in order.
func (r *Report) Categories() []string {
	var out []string
	for _, c := range categories() {
		for _, res := range r.Results {
			if res.Case.Category == c {
				out = append(out, c)
				break
			}
		}
	}
	return out
}

// Score is how many cases passed of all that were asked for: what failed, was
// not proven or not run counts against it.
func (r *Report) Score() (passed, of int) {
	return r.Count("", Passed), len(r.Results)
}

// Judged is how many cases passed or failed.
func (r *Report) Judged() int { return r.Count("", Passed) + r.Count("", Failed) }

// Failures lists the failed cases as bad as severity or worse that no baseline
// knows.
func (r *Report) Failures(severity Severity) []Result {
	var out []Result
	for _, res := range r.Results {
		if res.Status == Failed && !res.Known && res.Case.Severity.AtLeast(severity) {
			out = append(out, res)
		}
	}
	return out
}

// Command returns the command line that repeats a case alone.
func (r *Report) Command(id string) string { return strings.Replace(r.Reproduce, "%s", id, 1) }

// Compare marks the failures that are known by their identifiers, and says which
// of those passed.
func (r *Report) Compare(known map[string]bool) {
	for i, res := range r.Results {
		switch {
		case !known[res.Case.ID]:
		case res.Status == Failed:
			r.Results[i].Known = true
		case res.Status == Passed:
			r.Mended = append(r.Mended, res.Case.ID)
		}
	}
}
