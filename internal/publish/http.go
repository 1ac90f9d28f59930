package publish

import (
	"fmt"
	"strings"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/signature"
)

// requests are the deliveries for an editor's HTTP client. They sign themselves in
// the way of JetBrains, which httpYac knows, too.
func requests(c *contract.Contract, o Options) ([]byte, error) {
	flow, others, err := exhibits(c)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n#\n# %s\n", line(c.Name), line(rules(c)))
	if c.Signature != nil {
		b.WriteString("#\n# The secret is the variable secret of the environment: {\"dev\": {\"secret\": \"…\"}}\n# in http-client.private.env.json, which stays out of git.\n")
	}
	fmt.Fprintf(&b, "\n@endpoint = %s\n", o.Endpoint)
	section(&b, c, "the documented payment, in order", flow)
	section(&b, c, "every other state, each of a payment of its own", others)
	return []byte(b.String()), nil
}

// line is a text that ends no comment.
func line(s string) string { return strings.Join(strings.Fields(s), " ") }

func section(b *strings.Builder, c *contract.Contract, about string, of []exhibit) {
	for i, e := range of {
		fmt.Fprintf(b, "\n### %s (%d of %d: %s)\n# %s\n", e.state, i+1, len(of), about, line(summary(e.state)))
		var headers []signature.RecipeHeader
		if c.Signature != nil {
			recipe := c.Signature.Scheme.Recipe()
			headers = recipe.Headers
			for _, l := range computes(recipe) {
				b.WriteString(l + "\n")
			}
		}
		fmt.Fprintf(b, "POST {{endpoint}}%s\nContent-Type: %s\n", e.state.Path, json)
		for _, h := range headers {
			fmt.Fprintf(b, "%s: {{%s}}\n", h.Name, camel("sent "+h.Name))
		}
		fmt.Fprintf(b, "\n%s\n", e.body)
	}
}

// computes are the lines that follow a recipe before a request, and set a variable
// for each header.
func computes(r signature.Recipe) []string {
	key := ".withTextSecret(secret)"
	if r.KeyPrefix != "" {
		key = fmt.Sprintf("[secret.startsWith(%s) ? \"withBase64Secret\" : \"withTextSecret\"](secret.replace(/^%s/, \"\"))", quoted(r.KeyPrefix), r.KeyPrefix)
	}
	encoding := map[signature.Encoding]string{signature.Hex: "toHex", signature.Base64: "toBase64"}[r.Encoding]
	lines := []string{
		`< {%`,
		`  const secret = request.environment.get("secret") || "";`,
		`  const body = request.body.tryGetSubstituted();`,
	}
	if uses(r, signature.RecipeID) {
		lines = append(lines, `  const id = "msg_" + crypto.sha256().updateWithText(body).digest().toHex().slice(0, 24);`)
	}
	if uses(r, signature.RecipeTime) {
		lines = append(lines, `  const time = Math.floor(Date.now() / 1000).toString();`)
	}
	lines = append(lines, fmt.Sprintf(`  const signature = secret && crypto.hmac.sha256()%s.updateWithText(%s).digest().%s();`, key, joined(r.Signed), encoding))
	for _, h := range r.Headers {
		lines = append(lines, fmt.Sprintf(`  request.variables.set(%s, %s);`, quoted(camel("sent "+h.Name)), joined(h.Value)))
	}
	return append(lines, `%}`)
}
