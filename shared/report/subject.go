package report

import (
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Subject is what a report is about: the target, the plan record, and the run
// that wrote the report. What is empty is left out.
type Subject struct {
	Component, Stack string
	Commit           string // planned commit, in full
	BaseCommit       string // commit of the base branch that it was planned on
	PullRequest      int
	Digest           string // hex SHA-256 of the planfile
	RecordID         string // the plan record's
	CreatedAt        time.Time
	ExpiresAt        time.Time
	Actor            string // who caused the run
	RunURL           string
	TerraformName    string // "terraform" or "tofu"
	TerraformVersion string
	AtmosVersion     string // and edition; empty where there is no Atmos
	// Cautions stand above all else: what makes the numbers below them doubtful, a few
	// sentences each.
	Cautions []string
	// Scope says how the plan is not one of all that the configuration says, a sentence
	// each; empty when it is.
	Scope []string
	// Built are the files that travel with the plan, sorted by name; BuiltDigest is the hex
	// SHA-256 of their archive, and BuiltSize its size in bytes.
	Built       []BuiltFile
	BuiltDigest string
	BuiltSize   int64
	// Notes are what a reader should know besides, a sentence each.
	Notes []string
	// Settings are the settings in effect and where each comes from, a line each.
	Settings []string
	// Rest says, in a sentence, where everything is that a report had no room
	// for. When empty, it is the log of the run.
	Rest string
}

// maxName is how many bytes of a name are shown.
const maxName = 300

// name is the target as people call it.
func (s Subject) name() string {
	switch {
	case s.Component == "":
		return "this target"
	case s.Stack == "":
		return Code(clip(s.Component, maxName))
	}
	return Code(clip(s.Component, maxName)) + " in " + Code(clip(s.Stack, maxName))
}

// rest is the sentence on where the rest is, as Markdown; about is what it says
// of the log of the run.
func (s Subject) rest(about string) string {
	if s.Rest != "" {
		return Text(clip(s.Rest, maxName))
	}
	return Link("The log of this run", s.RunURL) + about
}

// scope is the alert that the plan is of something else than all that the configuration
// says.
func (s Subject) scope() *part {
	if len(s.Scope) == 0 {
		return nil
	}
	return alert(rankAlert, "WARNING", "how it was planned", "**Not a plan of all that the configuration says**", s.texts(s.Scope))
}

// notes is a part with an alert of its own for the notes.
func (s Subject) notes(more ...string) *part {
	return alert(rankWarning, "NOTE", "notes", "", append(more, s.texts(s.Notes)...))
}

// cautions is the alert above the numbers.
func (s Subject) cautions() string {
	var b strings.Builder
	for _, line := range s.texts(s.Cautions) {
		b.WriteString("> [!CAUTION]\n> " + line + "\n\n")
	}
	return b.String()
}

func (s Subject) texts(in []string) (out []string) {
	for _, t := range in {
		out = append(out, s.text(clip(t, 4*maxName)))
	}
	return out
}

// text is [Text] with links to runs of this run's own repository.
func (s Subject) text(t string) string { return textWith(t, Code, s.runs()) }

// runs is how the addresses of this repository's runs begin; empty when it is not known.
func (s Subject) runs() string {
	server, _, ok := strings.Cut(s.RunURL, "/actions/runs/")
	if !ok {
		return ""
	}
	return server + "/actions/runs/"
}

// foot is the small print at the end.
func (s Subject) foot(summary string, more ...string) string {
	var short, long []string
	add := func(name, value string) {
		if value != "" {
			long = append(long, name+": "+value)
		}
	}
	code := func(v string) string {
		if v == "" {
			return ""
		}
		return Code(clip(v, maxName))
	}
	if s.Component != "" {
		add("Target", s.name())
	}
	add("Commit", code(s.Commit))
	add("Base commit", code(s.BaseCommit))
	if s.PullRequest > 0 {
		add("Pull request", fmt.Sprint(s.PullRequest))
	}
	if s.Digest != "" {
		add("Planfile", "SHA-256 "+code(s.Digest))
		short = append(short, "planfile "+element(prefix(s.Digest, 12)))
	}
	if s.Commit != "" {
		short = append(short, "commit "+element(prefix(s.Commit, 7)))
	}
	if s.BuiltDigest != "" {
		add("Built files", "SHA-256 "+code(s.BuiltDigest)+" ("+Size(s.BuiltSize)+" packed)")
	}
	add("Plan record", code(s.RecordID))
	add("Planned", stamp(s.CreatedAt))
	add("Expires", stamp(s.ExpiresAt))
	if s.TerraformVersion != "" {
		name := "Terraform"
		if s.TerraformName == "tofu" {
			name = "OpenTofu"
		}
		add("Version", name+" "+code(s.TerraformVersion))
		short = append(short, name+" "+element(clip(s.TerraformVersion, maxName)))
	}
	add("Atmos", code(s.AtmosVersion))
	add("Started by", code(s.Actor))
	if s.RunURL != "" {
		add("Run", Link("this run", s.RunURL))
	}
	long = append(append(long, more...), s.texts(s.Settings)...)
	if len(long) == 0 {
		return ""
	}
	var b strings.Builder
	if len(short) > 0 {
		summary += ": " + strings.Join(short, ", ")
	}
	b.WriteString("---\n\n<details><summary><sub>" + summary + "</sub></summary>\n\n")
	for _, l := range long {
		b.WriteString("- " + l + "\n")
	}
	b.WriteString("\n</details>\n")
	return b.String()
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

// Link is text, which must be safe, as a link to address. An address that is
// not plainly one of the web is shown, not linked.
func Link(text, address string) string {
	if address == "" {
		return text
	}
	u, err := url.Parse(address)
	ok := err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && len(address) <= 2*maxName
	for _, r := range address {
		plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		ok = ok && (plain || strings.ContainsRune("-._~:/?#@%=+,", r) || r == '&')
	}
	if !ok {
		return text + " (" + Code(clip(address, 2*maxName)) + ")"
	}
	return "[" + text + "](" + address + ")"
}

// alert is a part in one of the boxes GitHub draws, such as CAUTION: a first
// line, then a list. The lines are Markdown. Without any it is nil.
// https://docs.github.com/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#alerts
func alert(r rank, kind, name, first string, lines []string) *part {
	if first == "" && len(lines) == 0 {
		return nil
	}
	p := &part{name: name, rank: r, open: "> [!" + kind + "]\n", close: "\n"}
	prefix := "> "
	if first != "" {
		p.open += "> " + first + "\n"
		if len(lines) > 0 {
			p.open += ">\n"
		}
	}
	if len(lines) > 1 || first != "" {
		prefix = "> - "
	}
	for _, l := range lines {
		p.items = append(p.items, item{full: prefix + l + "\n"})
	}
	return p
}
