package report

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

// maxTrouble is how many targets the alert at the top names.
const maxTrouble = 25

// maxApart is how many targets with the same reason are too many for a line each.
const maxApart = 3

// overview is what comes before the reports. If limit has no room for all of it, it has at most
// three quarters of the limit, so that the worst targets have room for a report.
func (m *Many) overview(rows []*row, limit int) string {
	d := markdown.Document{
		Title: m.title(rows) + m.link() + m.draft() + m.rulesChanged(rows) + m.doubtful(rows),
		Line:  "**" + m.tallied(rows) + "**\n\n",
		Rest:  m.rest(" names everything."),
	}
	if m.Job == WouldApply && m.CombinedDigest != "" && pending(rows) > 0 {
		d.Line += m.approving()
	}
	d.Add(m.policies(), m.denied(rows), m.trouble(rows), m.uncovered(), deleted(rows), m.unknown(rows), m.notes(), m.table(rows), m.quiet(rows))
	if m.Job == WouldApply {
		d.Add(m.digests(rows))
	}
	if whole, ok := d.Whole(limit - len(m.missing(math.MaxInt, math.MaxInt))); ok {
		return whole
	}
	return d.Markdown(limit / 4 * 3)
}

// maxApprovals is how many environments an overview names.
const maxApprovals = 25

// approving says what an approval applies.
func (m *Many) approving() string {
	switch len(m.Approvals) {
	case 0:
		return "Approving applies exactly these planfiles, and no others: combined SHA-256 " + digestPrefix(m.CombinedDigest) + ", in full below.\n\n"
	case 1:
		return "Approving environment " + environmentName(m.Approvals[0]) + " applies exactly these planfiles, and no others: combined SHA-256 " +
			digestPrefix(m.CombinedDigest) + ", in full below.\n\n"
	}
	text := "Approving an environment applies exactly its planfiles, and no others:\n\n"
	for _, a := range m.Approvals[:min(len(m.Approvals), maxApprovals)] {
		text += "- " + environmentName(a) + ": " + markdown.Count(a.Targets, "target") + ", combined SHA-256 " + digestPrefix(a.Digest)
		if a.Step > 0 {
			text += ", after those that it depends on"
		}
		text += "\n"
	}
	if more := len(m.Approvals) - maxApprovals; more > 0 {
		text += "- " + markdown.Comma(more) + " more\n"
	}
	return text + "\n"
}

func environmentName(a Approval) string {
	return markdown.Code(markdown.Clip(a.Environment, markdown.MaxName))
}

func digestPrefix(digest string) string { return markdown.Code(markdown.Prefix(digest, 12)) }

// counted is how many targets are of each class.
func counted(rows []*row) (n [classes]int) {
	for _, r := range rows {
		n[r.class()]++
	}
	return n
}

// pending is how many targets have something to apply.
func pending(rows []*row) int {
	n := counted(rows)
	return n[classDestroys] + n[classReplaces] + n[classForgets] + n[classChanges]
}

// title is the heading. It names what needs attention.
func (m *Many) title(rows []*row) string {
	n := counted(rows)
	all := markdown.Count(len(rows), "target")
	of := func(n int) string { return markdown.Comma(n) + " of " + all }
	failed, refused := n[classFailed], n[classRefused]+n[classBlocked]
	switch {
	case m.Job == Plans && failed > 0:
		return "## ❌ Plan failed for " + of(failed) + "\n\n"
	case m.Job == Plans && n[classDenied] > 0:
		return "## ⛔ Policies deny the plan for " + of(n[classDenied]) + "\n\n"
	case m.Job == Plans && n[classSelected] > 0:
		return "## Selected " + of(n[classSelected]) + "\n\n"
	case m.Job == Plans:
		return "## Plan for " + all + "\n\n"
	case failed > 0:
		return "## ❌ Apply failed for " + of(failed) + "\n\n"
	case refused > 0:
		return "## ⛔ Not applied: " + of(refused) + "\n\n"
	case m.Job != Plans && len(rows) == 0:
		return "## Nothing to apply\n\n"
	case n[classNoChanges]+n[classSkipped]+n[classDeleted] == len(rows):
		return "## ✅ Nothing to apply for " + all + "\n\n"
	case m.Job != Plans && pending(rows) == 0:
		return "## ⏳ Nothing to apply yet: " + of(n[classWaiting]) + " must be planned first\n\n"
	case m.Job == WouldApply:
		return "## To be applied: " + markdown.Count(pending(rows), "target") + "\n\n"
	}
	return "## ✅ Applied " + markdown.Count(pending(rows), "target") + "\n\n"
}

// tallied is one line with the number of targets of each class.
func (m *Many) tallied(rows []*row) string {
	n := counted(rows)
	list := make([]string, 0, classes)
	add := func(n int, one, more string) {
		switch {
		case n == 1:
			list = append(list, "1 "+one)
		case n > 1:
			list = append(list, markdown.Comma(n)+" "+more)
		}
	}
	add(n[classFailed], "failed", "failed")
	add(n[classDenied], "denied", "denied")
	add(n[classRefused], "refused", "refused")
	add(n[classBlocked], "blocked", "blocked")
	add(n[classWaiting], "waiting", "waiting")
	if m.Job == Applies {
		add(pending(rows), "applied", "applied")
	} else {
		add(n[classDestroys], "with deletions", "with deletions")
		add(n[classReplaces], "with replacements", "with replacements")
		add(n[classForgets], "that stops managing resources", "that stop managing resources")
		add(n[classChanges], "with changes", "with changes")
	}
	add(n[classSelected], "selected", "selected")
	add(n[classNoChanges], "without changes", "without changes")
	add(n[classSkipped], "skipped", "skipped")
	add(n[classDeleted], "no longer in Git", "no longer in Git")
	if len(list) == 0 {
		if m.Job != Plans {
			return "The merged change affects no target, and no plan was made for it."
		}
		return "No targets."
	}
	line := markdown.Count(len(rows), "target") + ": " + strings.Join(list, ", ") + "."
	ignored := 0
	for _, r := range rows {
		ignored += r.Ignored
	}
	if ignored > 0 {
		line += " " + markdown.Count(ignored, "difference") + " ignored (`drift.ignore`)."
	}
	return line
}

// trouble is the alert that says for each target why it is not planned or applied. Many targets with
// the same reason have one line.
func (m *Many) trouble(rows []*row) *markdown.Part {
	same := map[string][]*row{}
	for _, r := range rows {
		if r.class().trouble() {
			same[r.reason()] = append(same[r.reason()], r)
		}
	}
	var lines []string
	named, all := 0, 0
	for _, r := range rows {
		alike := same[r.reason()]
		if !r.class().trouble() || r.class() == classDenied {
			continue
		}
		all++
		switch {
		case len(alike) >= maxApart && r != alike[0]:
			named, r.told = named+1, alike[0].told // in the line of the first one
		case len(lines) == maxTrouble:
		case len(alike) >= maxApart:
			lines = append(lines, "**"+r.plain()+"** "+several(alike)+": "+m.text(r.Note))
			named, r.told = named+1, true
		default:
			line := "**" + r.plain() + "** " + r.name(markdown.Code)
			switch {
			case r.below:
				line += ": see below"
			case r.Note != "":
				line += ": " + m.text(r.Note)
			}
			lines = append(lines, line)
			named, r.told = named+1, true
		}
	}
	if more := all - named; more > 0 {
		lines = append(lines, markdown.Comma(more)+" more, in the table below")
	}
	return markdown.Alert(markdown.RankAlert, "CAUTION", "what failed", "", lines)
}

// denied is the alert that says what the policies deny: each reason once, with its targets.
func (m *Many) denied(rows []*row) *markdown.Part {
	same := map[string][]*row{}
	var reasons, overriders []string
	n := 0
	for _, r := range rows {
		if r.class() != classDenied {
			continue
		}
		n++
		if same[r.Note] == nil {
			reasons = append(reasons, r.Note)
		}
		same[r.Note] = append(same[r.Note], r)
		for _, team := range r.Overriders {
			if !slices.Contains(overriders, team) {
				overriders = append(overriders, team)
			}
		}
	}
	if n == 0 {
		return nil
	}
	slices.SortStableFunc(reasons, func(a, b string) int { return len(same[b]) - len(same[a]) })
	var lines []string
	more := 0
	for i, reason := range reasons {
		if i >= maxTrouble {
			more += len(same[reason])
			continue
		}
		lines = append(lines, several(same[reason])+": "+m.text(reason))
		for _, r := range same[reason] {
			r.told = true
		}
	}
	if more > 0 {
		lines = append(lines, markdown.Count(more, "more target")+", in the table below")
	}
	return markdown.Alert(markdown.RankAlert, "CAUTION", "what the policies deny", "**The policies deny "+markdown.Count(n, "plan")+".** "+undo(overriders), lines)
}

// unknown is the alert that says what of policies and approvals can't be found out: each reason once, with its
// targets.
func (m *Many) unknown(rows []*row) *markdown.Part {
	same := map[string][]*row{}
	var texts, lines []string
	for _, r := range rows {
		for _, text := range r.Unknown {
			if same[text] == nil {
				texts = append(texts, text)
			}
			same[text] = append(same[text], r)
		}
	}
	for i, text := range texts {
		if i == maxTrouble {
			lines = append(lines, markdown.Comma(len(texts)-i)+" more")
			break
		}
		lines = append(lines, several(same[text])+": "+m.text(text))
	}
	return markdown.Alert(markdown.RankWarning, "NOTE", "what is not known", "", lines)
}

// several names at most maxApart targets.
func several(rows []*row) string {
	var names []string
	for _, r := range rows[:min(len(rows), maxApart)] {
		names = append(names, r.name(markdown.Code))
	}
	text := strings.Join(names, ", ")
	if more := len(rows) - maxApart; more > 0 {
		text += " and " + markdown.Comma(more) + " more"
	}
	return text
}

// reason is what is said of a target in trouble, and of none that has nothing to say.
func (r *row) reason() string {
	if r.Note == "" {
		return r.plain() + "\n" + r.name(markdown.Code)
	}
	return r.plain() + "\n\n" + r.Note
}

// uncovered is the alert about changed folders that nothing plans.
func (m *Many) uncovered() *markdown.Part {
	return pathsAlert("what no target covers", m.Uncovered,
		"**Terraform files changed in these folders, and no target covers them: nothing plans them.** If a folder is a root module, add it to `gitops.yaml` "+
			"as a component with this `path`, have `discover` find it, or add it to a stack of Atmos. If it is a module that nothing calls yet, do nothing.")
}

// policies is the alert about changed policies that were evaluated on no plan.
func (m *Many) policies() *markdown.Part {
	return pathsAlert("which policies change", m.Policies,
		"**This pull request changes policies and affects no target, so they were evaluated on no plan.** To see what they say, run the plan workflow on its branch with `all: true`.")
}

// pathsAlert is an alert about files or folders; nil if there are none.
func pathsAlert(name string, paths []string, text string) *markdown.Part {
	var lines []string
	for i, at := range paths {
		if i == maxTrouble {
			lines = append(lines, markdown.Comma(len(paths)-i)+" more")
			break
		}
		lines = append(lines, markdown.Code(markdown.Clip(at, markdown.MaxName)))
	}
	if len(lines) == 0 {
		return nil
	}
	return markdown.Alert(markdown.RankAlert, "WARNING", name, text, lines)
}

// doubtful is the alert, above all numbers, about the targets with cautions.
func (m *Many) doubtful(rows []*row) string {
	var lines []string
	more := 0
	for _, r := range rows {
		switch {
		case len(r.Cautions) == 0:
		case len(lines) == maxTrouble:
			more++
		default:
			lines = append(lines, r.name(markdown.Code)+": "+strings.Join(m.texts(r.Cautions), " "))
		}
	}
	if more > 0 {
		lines = append(lines, markdown.Comma(more)+" more: each says it in its report")
	}
	if len(lines) == 0 {
		return ""
	}
	return "> [!CAUTION]\n> - " + strings.Join(lines, "\n> - ") + "\n\n"
}

// next says what happens after the merge of a pull request, and how to plan it again.
func (m *Many) next(rows []*row) string {
	if m.Job != Plans || m.PullRequest == 0 {
		return ""
	}
	in := map[string]int{}
	for _, r := range rows {
		if r.Applies {
			in[r.Environment]++
		}
	}
	var list []string
	for _, environment := range slices.Sorted(maps.Keys(in)) {
		where := "the apply workflow's environment"
		if environment != "" {
			where = "the environment " + markdown.Code(markdown.Clip(environment, markdown.MaxName))
		}
		list = append(list, markdown.Count(in[environment], "target")+" in "+where)
	}
	text := ""
	if slices.ContainsFunc(rows, func(r *row) bool { return r.Needs != "" }) {
		text = "**Approvals are missing.** To give one, approve this pull request in a review, after this plan. Until then, an apply is refused.\n\n"
	}
	switch {
	case len(list) > 0:
		text += "**After the merge**, exactly these planfiles are applied: " + strings.Join(list, ", ") + ". The reviewers of an environment, if it has any, approve first."
		if !m.ExpiresAt.IsZero() {
			text += " The plans expire on " + stamp(m.ExpiresAt) + "."
		}
		text += "\n\n"
	case pending(rows) > 0:
		text += "**After the merge**, nothing of this is applied: the planfiles were not stored, or other pull requests hold the locks.\n\n"
	}
	return text + m.planAgain()
}

// deleted is the alert about targets that are no longer in Git, with what can be done.
func deleted(rows []*row) *markdown.Part {
	var lines []string
	for _, r := range rows {
		if r.class() == classDeleted {
			line := r.name(markdown.Code)
			if r.Note != "" {
				line += ": " + markdown.Text(r.Note)
			}
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return markdown.Alert(markdown.RankWarning, "WARNING", "what is no longer in Git",
		"**No longer in Git.** The resources still exist, and Terraform's state still has them. To destroy them, restore the target with "+
			"`destroy: true`, merge and apply that plan, and then delete the target. To keep them, do nothing: nothing manages them any more.", lines)
}

// table has one row for each target, except those without changes.
func (m *Many) table(rows []*row) *markdown.Part {
	p := &markdown.Part{Name: "the table of targets", Rank: markdown.RankTable, Close: "\n"}
	notes, noted := m.cells(rows)
	what := "Would change"
	if m.Job == Applies {
		what = "Done"
	}
	columns, ruler := "| Target | "+what, "| :-- | :--"
	if m.Job == WouldApply {
		columns, ruler = columns+" | Planfile", ruler+" | :--"
	}
	judged := slices.ContainsFunc(rows, func(r *row) bool { return r.Policy != "" })
	if judged {
		columns, ruler = columns+" | Policies", ruler+" | :--"
	}
	if noted {
		columns, ruler = columns+" | Notes", ruler+" | :--"
	}
	p.Open = columns + " |\n" + ruler + " |\n"
	for i, r := range rows {
		if r.class() == classNoChanges {
			continue
		}
		line := "| " + r.name(markdown.Cell) + " | " + r.what()
		if m.Job == WouldApply {
			line += " | "
			if r.Digest != "" {
				line += markdown.Cell(markdown.Prefix(r.Digest, 12))
			}
		}
		if judged {
			line += " | " + r.policy()
		}
		if noted {
			line += " | " + notes[i]
		}
		p.Items = append(p.Items, markdown.Item{Full: line + " |\n", Brief: r.brief()})
	}
	return p
}

// cells are the notes in the table, one for each row, and whether there are any. A note that is
// in the alert at the top or in a report is not repeated.
func (m *Many) cells(rows []*row) (cells []string, any bool) {
	cells = make([]string, len(rows))
	for i, r := range rows {
		note := r.Note
		if r.below || r.told {
			note = ""
		}
		if note = strings.TrimSpace(r.Needs + " " + note); note == "" || r.class() == classNoChanges {
			continue
		}
		cells[i], any = markdown.TextWith(markdown.Clip(note, markdown.MaxName), markdown.Cell, m.runs()), true
	}
	return cells, any
}

// quiet are the targets without changes, folded.
func (m *Many) quiet(rows []*row) *markdown.Part {
	p := &markdown.Part{Name: "the targets without changes", Rank: markdown.RankOther}
	for _, r := range rows {
		if r.class() != classNoChanges {
			continue
		}
		line := "- " + r.name(markdown.Code)
		if r.Note != "" {
			line += ": " + m.text(markdown.Clip(r.Note, markdown.MaxName))
		}
		p.Items = append(p.Items, markdown.Item{Full: line + "\n", Brief: r.brief()})
	}
	if len(p.Items) == 0 {
		return nil
	}
	p.Open = "<details><summary>" + markdown.Comma(len(p.Items)) + " without changes</summary>\n\n"
	p.Close = "\n</details>\n\n"
	return p
}

// digests are the complete digests of the planfiles, folded, and the combined one: for
// comparing them, and for the input expected-digest.
func (m *Many) digests(rows []*row) *markdown.Part {
	p := &markdown.Part{Name: "the planfiles' digests in full", Rank: markdown.RankDestroy}
	run := 0
	for _, r := range rows {
		if r.Digest == "" {
			continue
		}
		line := markdown.AppendVisible(nil, r.Digest+"  "+r.name(func(s string) string { return s }), markdown.Inline)
		run = max(run, markdown.LongestRun(line))
		p.Items = append(p.Items, markdown.Item{Full: string(line) + "\n"})
	}
	if len(p.Items) == 0 {
		return nil
	}
	ticks := strings.Repeat("`", max(3, run+1))
	p.Open = "<details><summary>SHA-256 of each planfile, in full</summary>\n\n"
	for _, a := range m.Approvals[:min(len(m.Approvals), maxApprovals)] {
		p.Open += environmentName(a) + ": " + markdown.Code(markdown.Clip(a.Digest, markdown.MaxName)) + "\n\n"
	}
	if len(m.Approvals) == 0 && m.CombinedDigest != "" {
		p.Open += "Combined: " + markdown.Code(markdown.Clip(m.CombinedDigest, markdown.MaxName)) + "\n\n"
	}
	p.Open += ticks + "text\n"
	p.Close = ticks + "\n\n</details>\n\n"
	return p
}

// brief is the row as a line of a fence.
func (r *row) brief() string {
	return string(markdown.AppendVisible(nil, markdown.Clip(r.name(func(s string) string { return s })+": "+r.plain(), 2*markdown.MaxName), markdown.Inline))
}
