package signature_test

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/json"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/signature"
	"github.com/paytest/paytest/payloads"
)

// The seven documented samples and what node v20 computed for each: crypto.createHmac("sha256", secret).update(JSON.stringify(payload)).digest("hex").
//
//go:embed testdata/documented.jsonl
var documented []byte

type vector struct {
	Sample    string
	Secret    string
	Signature string
	Payload   json.RawMessage // as JSON.stringify wrote it
}

func documentedVectors(t *testing.T) []vector {
	t.Helper()
	var all []vector
	for lines := bufio.NewScanner(bytes.NewReader(documented)); lines.Scan(); {
		var v vector
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}

func TestDocumentedRecorded(t *testing.T) {
	vectors := documentedVectors(t)
	if len(vectors) != 7 {
		t.Fatalf("%d recorded samples, the documents have 7", len(vectors))
	}
	s := signature.Documented()
	for _, v := range vectors {
		t.Run(v.Sample, func(t *testing.T) {
			secrets := secretsOf(t, v.Secret)
			h := sign(t, s, secrets, signature.Message{Body: v.Payload})
			if diff := cmp.Diff(http.Header{"X-Signature": {v.Signature}}, h); diff != "" {
				t.Errorf("signed (-node +got):\n%s", diff)
			}
			want := signature.Result{OK: true, Family: signature.Both, Tried: []signature.Family{signature.Both}}
			if diff := cmp.Diff(want, s.Verify(secrets, h, v.Payload, noon(), 0)); diff != "" {
				t.Errorf("verified (-want +got):\n%s", diff)
			}
			document, err := jsondoc.Parse(v.Payload)
			if err != nil {
				t.Fatal(err)
			}
			indented := document.AppendIndent(nil, "  ")
			want = signature.Result{OK: true, Family: signature.Reserialised, Tried: []signature.Family{signature.Raw, signature.Reserialised}}
			if diff := cmp.Diff(want, s.Verify(secrets, h, indented, noon(), 0)); diff != "" {
				t.Errorf("verified with the body indented (-want +got):\n%s", diff)
			}
			want = signature.Result{OK: true, Family: signature.Raw, Tried: []signature.Family{signature.Raw}}
			h = sign(t, s, secrets, signature.Message{Body: indented})
			if diff := cmp.Diff(want, s.Verify(secrets, h, indented, noon(), 0)); diff != "" {
				t.Errorf("signed and verified with the body indented (-want +got):\n%s", diff)
			}
		})
	}
}

// The verifier of the gateway's documents, its parser of the request body included. It throws where that one throws.
const documentedVerifier = `
const crypto = require("crypto");
function verifySignature(payload, signature, secret) {
	const expected = crypto.createHmac("sha256", secret).update(JSON.stringify(payload)).digest("hex");
	return crypto.timingSafeEqual(Buffer.from(signature, "hex"), Buffer.from(expected, "hex"));
}
const deliveries = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(deliveries.map(d => {
	try { return verifySignature(JSON.parse(d.Body), d.Signature, d.Secret); } catch (e) { return String(e); }
})));`

type delivery struct{ Body, Signature, Secret string }

// TestDocumentedNode has the documented verifier judge what Sign signed: the documented samples and many generated bodies, in one process.
func TestDocumentedNode(t *testing.T) {
	var deliveries []delivery
	for _, v := range documentedVectors(t) {
		deliveries = append(deliveries, signed(t, string(v.Payload), v.Secret))
	}
	bodies, secrets := canonicalBodies(), rapid.StringMatching(`[ -~]{1,40}|[가-힣]{1,9}`)
	for i := range 3000 {
		deliveries = append(deliveries, signed(t, bodies.Example(i), secrets.Example(i)))
	}
	checkInNode(t, deliveries)
}

// TestDocumentedNodeOnEveryPayload has it judge the payload of every state, of 1,000 payments.
func TestDocumentedNodeOnEveryPayload(t *testing.T) {
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	var deliveries []delivery
	for seed := range uint64(1000) {
		for _, st := range c.States() {
			p := payment.New(c, payment.Options{Seed: seed, Index: seed % 7, Start: c.Epoch.Add(time.Duration(seed) * 7919 * time.Second), Toward: []*contract.State{st}})
			doc, err := generate.Payload(c, p, st, generate.Options{Previous: st.From[seed%uint64(len(st.From))].From})
			if err != nil {
				t.Fatal(err)
			}
			deliveries = append(deliveries, signed(t, string(doc.AppendLiteral(nil)), "secret of seed "+strconv.FormatUint(seed, 10)))
		}
	}
	checkInNode(t, deliveries)
}

// checkInNode holds that the verifier accepts all of them, and none of some more that are signed for another body.
func checkInNode(t *testing.T, deliveries []delivery) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skipf("no node here to run the documented verifier: %v", err)
	}
	right := len(deliveries)
	for i := 0; i < right; i += 10 {
		d := deliveries[i]
		d.Signature = signed(t, d.Body+" ", d.Secret).Signature
		deliveries = append(deliveries, d)
	}
	input, err := json.Marshal(deliveries)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), node, "-e", documentedVerifier)
	command.Stdin = bytes.NewReader(input)
	output, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var verdicts []any
	if err := json.Unmarshal(output, &verdicts); err != nil {
		t.Fatal(err)
	}
	if len(verdicts) != len(deliveries) {
		t.Fatalf("%d verdicts on %d deliveries", len(verdicts), len(deliveries))
	}
	for i, d := range deliveries {
		if want := i < right; verdicts[i] != want {
			t.Errorf("the documented verifier says %v, want %v: %+v", verdicts[i], want, d)
		}
	}
}

func signed(t *testing.T, body, secret string) delivery {
	t.Helper()
	h := sign(t, signature.Documented(), secretsOf(t, secret), signature.Message{Body: []byte(body)})
	return delivery{Body: body, Signature: h.Get("X-Signature"), Secret: secret}
}

// canonicalBodies generates bodies that are a fixed point of JSON.stringify, with all that writers of JSON disagree about.
func canonicalBodies() *rapid.Generator[string] {
	text := rapid.OneOf(
		rapid.String(),
		rapid.StringMatching(`[가-힣 ]{0,12}`),
		rapid.StringOfN(rapid.SampledFrom([]rune("\u2028\u2029<>&'\"\\/\x00\x1f\x7f\b\f\n\r\t\ufeff\ufffd🙂💸👨‍👩‍👧é~")), 0, 8, -1),
	)
	number := rapid.OneOf(
		rapid.SampledFrom([]string{"0", "-0", "1e21", "1e-7", "5e-324", "1e400", "1.0", "12345678901234567890", "0.1", "100000.000000"}),
		rapid.StringMatching(`-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,3})?`),
	)
	leaf := rapid.Custom(func(t *rapid.T) jsondoc.Value {
		switch rapid.IntRange(0, 4).Draw(t, "kind") {
		case 0:
			v, err := jsondoc.NumberValue(number.Draw(t, "number"))
			if err != nil {
				t.Fatal(err)
			}
			return v
		case 1:
			return jsondoc.BoolValue(rapid.Bool().Draw(t, "bool"))
		case 2:
			return jsondoc.NullValue()
		}
		return jsondoc.StringValue(text.Draw(t, "text"))
	})
	object := func(of *rapid.Generator[jsondoc.Value]) *rapid.Generator[jsondoc.Value] {
		return rapid.Custom(func(t *rapid.T) jsondoc.Value {
			name := rapid.OneOf(text, rapid.SampledFrom([]string{"10", "2", "__proto__", "amount", "01", "4294967295"}))
			names := rapid.SliceOfNDistinct(name, 0, 6, func(s string) string { return strings.ToValidUTF8(s, "\ufffd") }).Draw(t, "names")
			members := make([]jsondoc.Member, len(names))
			for i, name := range names {
				members[i] = jsondoc.Member{Name: name, Value: of.Draw(t, "value")}
			}
			return jsondoc.ObjectValue(members...)
		})
	}
	array := rapid.Map(rapid.SliceOfN(leaf, 0, 4), func(items []jsondoc.Value) jsondoc.Value { return jsondoc.ArrayValue(items...) })
	inner := rapid.OneOf(leaf, array, object(leaf))
	return rapid.Map(object(inner), func(v jsondoc.Value) string { return string(v.AppendCanonical(nil)) })
}

// TestPublished holds signatures others published for their schemes.
func TestPublished(t *testing.T) {
	for _, test := range []struct {
		name, scheme, secret string
		message              signature.Message
		want                 http.Header
	}{
		{
			// docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries, "Testing the webhook payload validation".
			name: "github", scheme: "github", secret: "It's a Secret to Everybody",
			message: signature.Message{Body: []byte("Hello, World!")},
			want:    http.Header{"X-Hub-Signature-256": {"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}},
		},
		{
			// The sign function test of the Standard Webhooks libraries.
			name: "standard-webhooks", scheme: "standard-webhooks", secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
			message: signature.Message{ID: "msg_p5jXN8AQM9LWM0D4loKWxJek", Time: time.Unix(1614265330, 0), Body: []byte(`{"test": 2432232314}`)},
			want: http.Header{
				"Webhook-Id":        {"msg_p5jXN8AQM9LWM0D4loKWxJek"},
				"Webhook-Timestamp": {"1614265330"},
				"Webhook-Signature": {"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
			},
		},
		{
			// Stripe publishes the construction and no secret with its example: computed with node's crypto as docs.stripe.com/webhooks/signature
			// says, HMAC-SHA256 of timestamp, full stop and body. The secret is used whole, its whsec_ included.
			name: "stripe", scheme: "stripe", secret: "whsec_test_secret",
			message: signature.Message{Time: time.Unix(1492774577, 0), Body: []byte(`{"id":"evt_test_webhook","object":"event"}`)},
			want:    http.Header{"Stripe-Signature": {"t=1492774577,v1=88a022085c6bdb887b02cb26ff76dd681234d9675c0f22844059f55552a8883a"}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := named(t, test.scheme)
			secrets := secretsOf(t, test.secret)
			if diff := cmp.Diff(test.want, sign(t, s, secrets, test.message)); diff != "" {
				t.Errorf("signed (-published +got):\n%s", diff)
			}
			if r := s.Verify(secrets, test.want, test.message.Body, test.message.Time, signature.DefaultTolerance); !r.OK {
				t.Errorf("the published signature is refused: %+v", r)
			}
		})
	}
}
