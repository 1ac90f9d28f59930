// Package journal keeps deliveries in a file, one JSON line each: it appends
// them so that none that was acknowledged is lost, reads them back, and
// replaces in them what must not leave the house.
package journal

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/paytest/paytest/internal/verify"
)

// MaxLine is the longest line of a journal, in bytes, its end included.
const MaxLine = 4 << 20

// Version is the version of the format that is written; newer ones are refused.
const Version = 1

// Hidden stands in a header for a value that is not to be read.
const Hidden = "[hidden]"

// ErrTooLong is wrapped when a line is longer than MaxLine.
var ErrTooLong = errors.New("the line is longer than 4 MiB")

// Direction says who sent a delivery.
type Direction string

// The directions.
const (
	Received Direction = "received"
	Sent     Direction = "sent"
)

// Record is one delivery, as a journal's lines and the NDJSON output have it.
// The body is kept byte for byte; other text that is not UTF-8 is kept with
// U+FFFD in the place of what is not.
type Record struct {
	// Seq is the record's place in the journal, from 1; 0 outside of one.
	Seq       uint64    `json:"seq,omitempty"`
	Time      time.Time `json:"time"`
	Direction Direction `json:"direction,omitempty"`
	// Attempt counts the attempts at one delivery, from 1; for what was sent.
	Attempt int `json:"attempt,omitempty"`
	// URL is where it was sent to.
	URL     string      `json:"url,omitempty"`
	Method  string      `json:"method"`
	Path    string      `json:"path"`
	Headers http.Header `json:"headers"`
	// Body is the raw body, in base64.
	Body          []byte           `json:"body"`
	OK            bool             `json:"ok"`
	Event         string           `json:"event,omitempty"`
	Subject       string           `json:"subject,omitempty"`
	ID            string           `json:"id,omitempty"`
	State         string           `json:"state,omitempty"`
	PreviousState string           `json:"previousState,omitempty"`
	Duplicate     bool             `json:"duplicate"`
	Findings      []verify.Finding `json:"findings"`
	// Answer is what came back; its status is 0 when nothing did.
	Answer Answer `json:"answer"`
	// LatencyMS is how long the answer took, in milliseconds.
	LatencyMS float64 `json:"latencyMs"`
	// Signature says over which bytes the signature was right; empty where none was
	// asked for, or where it was wrong.
	Signature string `json:"signature,omitempty"`
	// Forwarded says where a received delivery was passed on to.
	Forwarded string `json:"forwarded,omitempty"`
	// Redacted says why a Redactor emptied the body.
	Redacted string `json:"redacted,omitempty"`
}

// Answer is the answer to a delivery.
type Answer struct {
	Status int    `json:"status"`
	Body   string `json:"body"`
}

// Line returns the record as one line of a journal, its newline included. It
// fails when the record has no JSON form (a year after 9999, a latency that is
// no number), and with ErrTooLong.
func (r Record) Line() ([]byte, error) {
	rest, err := r.encode(make([]byte, 0, usualLine))
	if err != nil {
		return nil, err
	}
	return numbered(make([]byte, 0, maxPrefix+len(rest)), r.Seq, rest), nil
}

// HeaderLine returns the line that a journal starts with, its newline included;
// first is the number of the journal's first record.
func HeaderLine(first uint64) []byte {
	return fmt.Appendf(nil, "%s%d}\n", headerStart, first)
}

const headerStart = `{"type":"journal","version":1,"firstSeq":`

// maxPrefix bounds what numbered puts in front.
const maxPrefix = 64

func numbered(dst []byte, seq uint64, rest []byte) []byte {
	dst = append(dst, `{"type":"delivery",`...)
	if seq > 0 {
		dst = append(strconv.AppendUint(append(dst, `"seq":`...), seq, 10), ',')
	}
	return append(dst, rest...)
}
