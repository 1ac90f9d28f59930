package publish

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/signature"
)

const postmanSchema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"

// postman is a collection whose requests sign themselves and look at the answer.
func postman(c *contract.Contract, o Options) (*jsondoc.Value, error) {
	flow, others, err := exhibits(c)
	if err != nil {
		return nil, err
	}
	folders := array(folder("The documented payment, in order", c.FlowSource, flow))
	if len(others) > 0 {
		folders.Items = append(folders.Items, *folder("Every other state, each of a payment of its own", "", others))
	}
	events := array(script("test", looks(c)))
	variables := array(variable("endpoint", o.Endpoint, "where the receiver is"))
	if c.Signature != nil {
		events.Items = append(events.Items, *script("prerequest", signs(c.Signature.Scheme.Recipe())))
		variables.Items = append(variables.Items, *variable("secret", "", "the secret that the receiver shares with the gateway"))
	}
	return object(
		"info", object("name", c.Name, "version", version(c), "description", rules(c), "schema", postmanSchema),
		"item", folders,
		"event", events,
		"variable", variables,
	), nil
}

func variable(key, value, description string) *jsondoc.Value {
	return object("key", key, "value", str(value), "type", "string", "description", description)
}

func folder(name, source string, of []exhibit) *jsondoc.Value {
	if source != "" {
		source = "source: " + source
	}
	return object("name", name, "description", source, "item", each(of, item))
}

func item(e exhibit) *jsondoc.Value {
	segments := strings.Split(strings.TrimPrefix(e.state.Path, "/"), "/")
	description := summary(e.state) + "\n\n" + contract.Basis(e.state.Source, e.state.Derived)
	return object("name", e.state.String(), "request", object(
		"method", "POST",
		"header", array(object("key", "Content-Type", "value", json)),
		"body", object("mode", "raw", "raw", e.body, "options", object("raw", object("language", "json"))),
		"url", object("raw", "{{endpoint}}"+e.state.Path, "host", array(str("{{endpoint}}")), "path", each(segments, str)),
		"description", description,
	), "response", array())
}

func script(listen string, lines []string) *jsondoc.Value {
	return object("listen", listen, "script", object("type", "text/javascript", "exec", each(lines, str)))
}

// looks are the lines of JavaScript that judge an answer.
func looks(c *contract.Contract) []string {
	statuses := make([]string, len(c.Delivery.Success))
	for i, s := range c.Delivery.Success {
		statuses[i] = strconv.Itoa(s)
	}
	list := strings.Join(statuses, ", ")
	return []string{
		fmt.Sprintf("pm.test(%s, () => pm.expect(pm.response.code).to.be.oneOf([%s]));", quoted("the answer is "+list), list),
		fmt.Sprintf("pm.test(%s, () => pm.expect(pm.response.responseTime).to.be.below(%d));", quoted("it comes within "+c.Delivery.Timeout.String()), c.Delivery.Timeout.Milliseconds()),
	}
}

// quoted is a text as JavaScript writes it.
func quoted(s string) string { return string(str(s).AppendCanonical(nil)) }

// signs are the lines of JavaScript that follow a recipe.
func signs(r signature.Recipe) []string {
	key := "crypto.enc.Utf8.parse(secret)"
	if r.KeyPrefix != "" {
		key = fmt.Sprintf("secret.startsWith(%s) ? crypto.enc.Base64.parse(secret.slice(%d)) : %s", quoted(r.KeyPrefix), len(r.KeyPrefix), key)
	}
	encoding := map[signature.Encoding]string{signature.Hex: "Hex", signature.Base64: "Base64"}[r.Encoding]
	lines := []string{
		`const crypto = require("crypto-js");`,
		`const secret = pm.variables.get("secret");`,
		`if (secret) {`,
		`  const body = pm.variables.replaceIn(pm.request.body.raw);`,
		`  const key = ` + key + `;`,
	}
	if uses(r, signature.RecipeID) {
		lines = append(lines, `  const id = "msg_" + crypto.SHA256(body).toString().slice(0, 24);`)
	}
	if uses(r, signature.RecipeTime) {
		lines = append(lines, `  const time = Math.floor(Date.now() / 1000).toString();`)
	}
	lines = append(lines, fmt.Sprintf(`  const signature = crypto.HmacSHA256(%s, key).toString(crypto.enc.%s);`, joined(r.Signed), encoding))
	for _, h := range r.Headers {
		lines = append(lines, fmt.Sprintf(`  pm.request.headers.upsert({ key: %s, value: %s });`, quoted(h.Name), joined(h.Value)))
	}
	return append(lines, `} else {`, `  console.warn("the variable secret is empty: the request is not signed");`, `}`)
}

// uses reports whether a recipe needs what a word stands for.
func uses(r signature.Recipe, word string) bool {
	return strings.Contains(r.Signed, word) || slices.ContainsFunc(r.Headers, func(h signature.RecipeHeader) bool { return strings.Contains(h.Value, word) })
}

// joined is a recipe's text as an expression of JavaScript, its words being
// variables of their names: id + "." + body.
func joined(text string) string {
	var parts []string
	for text != "" {
		at, word := len(text), ""
		for _, w := range []string{signature.RecipeID, signature.RecipeTime, signature.RecipeBody, signature.RecipeSignature} {
			if i := strings.Index(text, w); i >= 0 && i < at {
				at, word = i, w
			}
		}
		if at > 0 {
			parts = append(parts, quoted(text[:at]))
		}
		if word != "" {
			parts = append(parts, strings.Trim(word, "{}"))
		}
		text = text[at+len(word):]
	}
	return strings.Join(parts, " + ")
}
