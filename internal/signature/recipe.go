package signature

import "regexp"

// The words that stand in a Recipe for what each message has.
const (
	RecipeBody      = "{body}"      // the body as it goes on the wire
	RecipeID        = "{id}"        // the message's id
	RecipeTime      = "{time}"      // when it is sent, in whole seconds since 1970
	RecipeSignature = "{signature}" // the HMAC-SHA256 of Recipe.Signed
)

// Recipe says how a Scheme signs with one secret, for a program in another language.
type Recipe struct {
	// Signed is what the HMAC-SHA256 is taken of.
	Signed string
	// Encoding is how RecipeSignature is written.
	Encoding Encoding
	// KeyPrefix, where it is not empty, starts a secret whose rest is the key in base64. Any other secret is the key itself.
	KeyPrefix string
	// Headers are sent with the body; the last carries the signature.
	Headers []RecipeHeader
}

// RecipeHeader is a header of a signed delivery.
type RecipeHeader struct {
	Name string
	// Value is what it holds.
	Value string
	// Pattern is the regular expression that each of its values matches, whatever the number of secrets.
	Pattern string
	// Meaning says what it is in a few words.
	Meaning string
}

// Recipe returns how the scheme signs.
func (s Scheme) Recipe() Recipe {
	r := Recipe{Signed: RecipeBody, Encoding: s.encoding}
	mac := `[0-9a-f]{64}`
	if s.encoding == Base64 {
		mac = `[A-Za-z0-9+/]{43}=`
	}
	value, pattern := s.prefix+RecipeSignature, "^"+regexp.QuoteMeta(s.prefix)+mac+"$"
	of := "the body"
	switch s.layout {
	case singleHeader:
	case standardWebhooks:
		r.Signed, r.KeyPrefix = RecipeID+"."+RecipeTime+"."+RecipeBody, keyPrefix
		r.Headers = []RecipeHeader{
			{headerID, RecipeID, `^[!-\-/-~]{1,256}$`, "identifies the message; the same for every attempt to deliver it"},
			{headerTimestamp, RecipeTime, `^(0|[1-9][0-9]*)$`, "when it was sent, in seconds since 1970"},
		}
		value, pattern = "v1,"+RecipeSignature, "^v1,"+mac+"( v1,"+mac+")*$"
		of = "the id, the timestamp and the body, joined by full stops"
	case stripe:
		r.Signed = RecipeTime + "." + RecipeBody
		value, pattern = "t="+RecipeTime+",v1="+RecipeSignature, "^t=(0|[1-9][0-9]*)(,v1="+mac+")+$"
		of = "the time and the body, joined by a full stop"
	}
	r.Headers = append(r.Headers, RecipeHeader{s.header, value, pattern, "the HMAC-SHA256 of " + of + ", in " + s.encoding.words()})
	return r
}

func (e Encoding) words() string {
	if e == Base64 {
		return "base64"
	}
	return "lower-case hexadecimal"
}
