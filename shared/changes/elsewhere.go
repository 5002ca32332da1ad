package changes

import (
	"encoding/json"
	"strings"
)

const (
	// minSecretElsewhere is the least length in bytes of a sensitive text that is looked for
	// in the rest of the plan. A shorter one may be there by chance.
	minSecretElsewhere = 6
	// maxSecretsElsewhere and maxSecretBytes limit how many texts are looked for, and their
	// length.
	maxSecretsElsewhere = 20_000
	maxSecretBytes      = 4 << 10
)

// elsewhere is the set of texts that some resource or output marks as sensitive. If such a text
// is also in another place of the plan, without a mark, it is hidden there, too: providers copy
// values, and configurations use them in keys and names.
type elsewhere map[string]bool

// collect adds the sensitive texts of a change. The set is nil until there is one.
func (e *elsewhere) collect(t *tree, change *[changeFieldCount]int32) {
	marks := t.addMarks(t.addMarks(nil, change[fieldBeforeSensitive]), change[fieldAfterSensitive])
	if marks == nil || len(*e) >= maxSecretsElsewhere {
		return
	}
	var found secrets
	found.collect(t, change[fieldBefore], marks)
	found.collect(t, change[fieldAfter], marks)
	for text := range found.texts {
		if len(text) < minSecretElsewhere || len(text) > maxSecretBytes {
			continue
		}
		if *e == nil {
			*e = elsewhere{}
		}
		(*e)[text] = true
	}
}

// hide hides the texts in the whole plan.
func (e elsewhere) hide(p *Plan) {
	if len(e) == 0 {
		return
	}
	for _, list := range [][]Resource{p.Resources, p.Drift, p.Deferred, p.Ignored.Resources} {
		for i := range list {
			e.resource(&list[i])
		}
	}
	for _, list := range [][]Invocation{p.Invocations, p.InvocationsDeferred} {
		for i := range list {
			v := &list[i]
			v.Address, v.Trigger = e.quoted(v.Address), e.quoted(v.Trigger)
			e.attributes(v.Settings)
		}
	}
	for _, list := range [][]Output{p.Outputs, p.Ignored.Outputs} {
		for i := range list {
			e.value(&list[i].Old)
			e.value(&list[i].New)
		}
	}
	for i := range p.Checks {
		c := &p.Checks[i]
		c.Address = e.quoted(c.Address)
		for j := range c.Messages {
			c.Messages[j] = e.words(c.Messages[j])
		}
	}
}

func (e elsewhere) resource(r *Resource) {
	for _, text := range []*string{&r.Address, &r.PreviousAddress, &r.ModuleAddress} {
		*text = e.quoted(*text)
	}
	if e[r.ImportID] {
		r.ImportID = ""
	}
	r.ImportIdentity = e.quoted(r.ImportIdentity)
	for i := range r.ReplacePaths {
		r.ReplacePaths[i] = e.quoted(r.ReplacePaths[i])
	}
	e.attributes(r.Attributes)
}

func (e elsewhere) attributes(list []Attribute) {
	for i := range list {
		a := &list[i]
		a.Path = e.quoted(a.Path) // without names of attributes, which the provider has chosen
		e.value(&a.Old)
		e.value(&a.New)
	}
}

func (e elsewhere) value(v *Value) {
	if v.Kind != Known {
		return
	}
	if e[v.Text] {
		*v = Value{Kind: Sensitive}
		return
	}
	v.Text = e.quoted(v.Text)
}

const hiddenText = "(sensitive)"

// quoted hides texts in quotation marks, as keys in addresses and texts in JSON are.
func (e elsewhere) quoted(text string) string {
	if !strings.Contains(text, `"`) {
		return text
	}
	var b strings.Builder
	for {
		begin := strings.IndexByte(text, '"')
		if begin < 0 {
			break
		}
		end := begin + 1
		for end < len(text) && text[end] != '"' {
			if text[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(text) {
			break // the end was cut off
		}
		var plain string
		whole := text[begin : end+1]
		if json.Unmarshal([]byte(whole), &plain) == nil && e[plain] {
			whole = `"` + hiddenText + `"`
		}
		b.WriteString(text[:begin])
		b.WriteString(whole)
		text = text[end+1:]
	}
	b.WriteString(text)
	return b.String()
}

// words hides words of a message, and texts in quotation marks.
func (e elsewhere) words(text string) string {
	if e[text] {
		return hiddenText
	}
	fields := strings.Fields(text)
	text = e.quoted(text)
	for _, word := range fields {
		if bare := strings.Trim(word, `.,;:!?'"()[]{}<>`+"`"); e[bare] {
			text = strings.ReplaceAll(text, bare, hiddenText)
		} else if e[word] {
			text = strings.ReplaceAll(text, word, hiddenText)
		}
	}
	return text
}
