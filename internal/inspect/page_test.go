package inspect_test

import (
	"testing"
)

var looks = []look{
	{"wide-light", 1440, 900, false}, {"wide-dark", 1440, 900, true}, {"narrow-light", 360, 740, false}, {"narrow-dark", 360, 740, true},
}

// story is what a merchant may see in an afternoon. It ends with an illegal
// transition, a fact that drifts, and a payload that breaks its schema.
func story(s *stage) {
	for i := range uint64(6) {
		s.paid(i)
	}
	s.report("invoice", "complete", "complete", 2)
	s.report("invoice", "cancel", "cancel", 20)
	s.report("invoice", "wait", "reject", 21)
	s.report("invoice", "reject", "reject", 21)
	s.report("transaction", "created", "fail", 22)
	s.report("invoice", "pending", "fail", 22)
	s.report("transaction", "complete", "fail", 22)
	s.report("invoice", "fail", "fail", 22)
	path, body := s.body("invoice", "complete", "complete", 30)
	s.deliver(path, s.changed(body, map[string]any{"title": nil, "cashAmount": 100000, "note": "\u202eevil <b>bold</b>"}))
	s.deliver(path, `{"event": "invoice.updated", nope`)
	s.paid(40)
	path, body = s.body("invoice", "complete", "complete", 40)
	s.deliver(path, s.changed(body, map[string]any{"cryptoAmount": "75.000000", "title": "다른 제목"}))
	path, body = s.body("invoice", "pending", "complete", 40)
	s.deliver(path, s.changed(body, map[string]any{"previousState": "Complete"}))
}

func TestPage(t *testing.T) {
	browser := newBrowser(t)
	t.Run("looks", func(t *testing.T) { testLooks(t, newTab(t, browser)) })
}

func testLooks(t *testing.T, p *tab) {
	s := newStage(t)
	story(s)
	for _, l := range looks {
		p.as(l)
		p.do(navigate(s.url))
		p.until(`document.querySelectorAll('.rows .row').length > 5`)
		p.shoot("timeline-" + l.name)
		p.press("G")
		p.press("\r")
		p.until(`document.querySelector('#panel-title')`)
		p.shoot("delivery-" + l.name)
	}
}
