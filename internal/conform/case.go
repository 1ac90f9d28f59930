// Package conform attacks a merchant's endpoint with duplicates, disorder,
// tampering, hostile bytes and money traps, and tells by its answers, by its
// being alive, and by the effects it reports whether it holds.
package conform

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/suggest"
)

// Severity is what a fault may cost.
type Severity string

// The severities, the worst first.
const (
	Critical Severity = "critical"
	High     Severity = "high"
	Medium   Severity = "medium"
	Low      Severity = "low"
)

// Severities lists them, the worst first.
func Severities() []string {
	return []string{string(Critical), string(High), string(Medium), string(Low)}
}

// AtLeast reports whether s is as bad as other, or worse.
func (s Severity) AtLeast(other Severity) bool {
	all := Severities()
	return slices.Index(all, string(s)) <= slices.Index(all, string(other))
}

// Profile says how much a case asks of an endpoint.
type Profile string

// The profiles, each with the cases of those before it.
const (
	// Core is quick and safe for any development server.
	Core Profile = "core"
	// Full adds what takes time or many deliveries.
	Full Profile = "full"
	// Hostile adds what may harm a server that is not robust.
	Hostile Profile = "hostile"
)

// Profiles lists them, the smallest first.
func Profiles() []string { return []string{string(Core), string(Full), string(Hostile)} }

// includes reports whether a run of profile p carries out cases of profile of.
func (p Profile) includes(of Profile) bool {
	all := Profiles()
	return slices.Index(all, string(of)) <= slices.Index(all, string(p))
}

// Case is one fault that an endpoint must survive, as the pack describes it.
type Case struct {
	// ID names it; its letter is that of the category.
	ID       string   `json:"id"`
	Category string   `json:"-"`
	Severity Severity `json:"severity"`
	Profile  Profile  `json:"profile"`
	// Sent says what the endpoint is sent, Holds what must be true of it then.
	Sent  string `json:"sent"`
	Holds string `json:"holds"`
	// Source is where that is written.
	Source string `json:"source"`
	// Needs are the roles of the states whose events the case sends.
	Needs []string `json:"needs"`
	// Costs says why a failure matters, in money where it does; Fix what to change.
	Costs string `json:"costs"`
	Fix   string `json:"fix"`
}

// category is a file of the pack's folder.
type category struct {
	Category string `json:"category"`
	Meaning  string `json:"meaning"`
	Cases    []Case `json:"cases"`
}

// Catalog is all cases of a pack.
type Catalog struct {
	Cases []*Case
	// Meanings says what each category is about.
	Meanings map[string]string
}

// maxCatalogBytes bounds one file of the catalog.
const maxCatalogBytes = 1 << 20

// Load reads the cases of a pack, ordered by category as the documents have
// them. A pack without roles or cases, and a case that this program does not
// know, are errors.
func Load(c *contract.Contract, pack fs.FS) (*Catalog, error) {
	if c.Roles == nil {
		return nil, errors.New("the contract names no roles, so nobody knows what its events must cause; see \"roles\" in contract.json")
	}
	files, err := fs.Glob(pack, contract.ConformFolder+"/*.json")
	if err != nil {
		return nil, err
	}
	out := &Catalog{Meanings: map[string]string{}}
	for _, name := range files {
		if err := out.read(pack, name); err != nil {
			return nil, fmt.Errorf("contract: %s: %w", name, err)
		}
	}
	if len(out.Cases) == 0 {
		return nil, fmt.Errorf("the contract has no cases in its folder %s", contract.ConformFolder)
	}
	order := categories()
	sort.SliceStable(out.Cases, func(i, j int) bool {
		a, b := out.Cases[i], out.Cases[j]
		return cmp.Or(slices.Index(order, a.Category)-slices.Index(order, b.Category), cmp.Compare(a.ID, b.ID)) < 0
	})
	return out, out.check(c)
}

// categories are in the order in which they are carried out and shown.
func categories() []string {
	return []string{"delivery", "ordering", "idempotency", "protocol", "schema", "text", "security", "money", "resilience"}
}

func (c *Catalog) read(pack fs.FS, name string) error {
	info, err := fs.Stat(pack, name)
	if err != nil {
		return err
	}
	if info.Size() > maxCatalogBytes {
		return fmt.Errorf("it is larger than %d bytes", maxCatalogBytes)
	}
	raw, err := fs.ReadFile(pack, name)
	if err != nil {
		return err
	}
	var file category
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		return err
	}
	if file.Category+".json" != path.Base(name) || !slices.Contains(categories(), file.Category) {
		return fmt.Errorf("the category %q is not the file's, or unknown", file.Category)
	}
	c.Meanings[file.Category] = file.Meaning
	for _, spec := range file.Cases {
		spec.Category = file.Category
		c.Cases = append(c.Cases, &spec)
	}
	return nil
}

func (c *Catalog) check(ct *contract.Contract) error {
	known, roles, seen := functions(), ct.Roles.States(), map[string]bool{}
	for _, spec := range c.Cases {
		switch {
		case known[spec.ID] == nil:
			return fmt.Errorf("contract: the case %q is not one this program can carry out", spec.ID)
		case seen[spec.ID]:
			return fmt.Errorf("contract: the case %s stands there twice", spec.ID)
		case !slices.Contains(Severities(), string(spec.Severity)), !slices.Contains(Profiles(), string(spec.Profile)):
			return fmt.Errorf("contract: the case %s has the severity %q and the profile %q", spec.ID, spec.Severity, spec.Profile)
		case spec.Sent == "" || spec.Holds == "" || spec.Source == "" || spec.Costs == "" || spec.Fix == "":
			return fmt.Errorf("contract: the case %s lacks what is sent, what holds, its source, costs or fix", spec.ID)
		}
		seen[spec.ID] = true
		for _, role := range spec.Needs {
			if _, ok := roles[role]; !ok {
				return fmt.Errorf("contract: the case %s needs the role %q, which there is not", spec.ID, role)
			}
		}
	}
	return nil
}

// Find returns a case by its identifier in any case of letters.
func (c *Catalog) Find(id string) (*Case, error) {
	var ids []string
	for _, spec := range c.Cases {
		if strings.EqualFold(spec.ID, id) {
			return spec, nil
		}
		ids = append(ids, spec.ID)
	}
	return nil, fmt.Errorf("there is no case %q%s", id, suggest.DidYouMean(strings.ToUpper(id), ids))
}

// Selection says which cases are wanted.
type Selection struct {
	Profile Profile
	// Cases are identifiers; where there are any, they alone are carried out,
	// whatever the profile.
	Cases []string
	// Only and Skip are identifiers or categories.
	Only, Skip []string
}

// Select returns the cases that are wanted, in order, and an error for a word
// that names none.
func (c *Catalog) Select(s Selection) ([]*Case, error) {
	for _, id := range s.Cases {
		if _, err := c.Find(id); err != nil {
			return nil, fmt.Errorf("--case: %w", err)
		}
	}
	if err := c.known("--only", s.Only); err != nil {
		return nil, err
	}
	if err := c.known("--skip", s.Skip); err != nil {
		return nil, err
	}
	var out []*Case
	for _, spec := range c.Cases {
		named := func(word string) bool { return spec.named(word) }
		wanted := s.Profile.includes(spec.Profile) || slices.ContainsFunc(s.Only, func(w string) bool { return strings.EqualFold(w, spec.ID) })
		if len(s.Cases) > 0 {
			wanted = slices.ContainsFunc(s.Cases, func(id string) bool { return strings.EqualFold(id, spec.ID) })
		}
		if wanted && (len(s.Only) == 0 || slices.ContainsFunc(s.Only, named)) && !slices.ContainsFunc(s.Skip, named) {
			out = append(out, spec)
		}
	}
	return out, nil
}

// known refuses a flag's words that name neither a case nor a category.
func (c *Catalog) known(flag string, words []string) error {
	for _, word := range words {
		if !slices.ContainsFunc(c.Cases, func(spec *Case) bool { return spec.named(word) }) {
			return fmt.Errorf("%s: there is no case and no category %q%s", flag, word, suggest.Among(word, "categories", categories()))
		}
	}
	return nil
}

func (c *Case) named(word string) bool {
	return strings.EqualFold(word, c.ID) || strings.EqualFold(word, c.Category)
}
