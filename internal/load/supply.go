package load

// ahead is how many requests are made at once for a connection that sends without
// a pause: between two system calls, nothing that making them needs is left in
// the processor's caches.
const ahead = 16

// supply is the requests of one connection.
type supply struct {
	traffic *traffic
	makers  *makers
	size    int // how many are made at once

	ready []ready
	raw   []byte
	used  int
}

// ready is a request that can be sent.
type ready struct {
	event
	from, to int // of raw
}

// next returns an event and its request, valid until the next call.
func (s *supply) next() (*event, []byte, error) {
	if s.used == len(s.ready) {
		if err := s.fill(); err != nil {
			return nil, nil, err
		}
	}
	r := &s.ready[s.used]
	s.used++
	return &r.event, s.raw[r.from:r.to], nil
}

func (s *supply) fill() error {
	q := s.makers.lend()
	defer s.makers.back(q)
	s.ready, s.raw, s.used = s.ready[:0], s.raw[:0], 0
	for range s.size {
		e := s.traffic.next()
		raw, from, err := q.append(s.raw, &e)
		if err != nil {
			return err
		}
		s.raw = raw
		s.ready = append(s.ready, ready{e, from, len(raw)})
	}
	return nil
}

// makers lends what makes requests to the connections: as many as there are
// threads are kept.
type makers struct {
	idle chan *requests
	make func() *requests
}

func (m *makers) lend() *requests {
	select {
	case q := <-m.idle:
		return q
	default:
		return m.make()
	}
}

func (m *makers) back(q *requests) {
	select {
	case m.idle <- q:
	default:
	}
}
