package report

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

// Report is the report of one target: alone, or as a part of the summary of a run. A report
// that is complete within a limit must be the same for every larger limit.
type Report interface {
	Markdown(limit int) string
	Part(run Subject, limit int) string
}

// Approval is what the reviewers of one GitHub environment approve.
type Approval struct {
	Environment string
	Step        int // an environment of a later step waits for those of earlier steps
	Targets     int
	Digest      string // hex SHA-256 over the planfiles
}

// Many is the summary of a job that planned or applied many targets: an overview of all, then
// the report of each, the worst first.
//
// It keeps no report in memory. Each one is written to a file without a name, in several sizes,
// and read back for the summary.
type Many struct {
	Subject // of the job; without Component, Stack, Digest and RecordID
	Job     Job
	// CombinedDigest is the hex SHA-256 over all planfiles, for [WouldApply].
	CombinedDigest string
	// Approvals are what is approved by environment, if a target has one, for [WouldApply].
	Approvals []Approval

	// Uncovered are folders with changed Terraform files that belong to no target.
	Uncovered []string
	// Policies are files of policies that the pull request changes, if nothing shows what they say.
	Policies []string

	dir string // of the file

	mu      sync.Mutex   // guards all below
	file    *os.File     // made for the first report
	first   Report       // of the only row so far
	changed RulesChanged // by the pull request, for any of the targets
	size    int64        // of the file
	rows    []row
}

// Job is what a job does with its targets.
type Job uint8

// What a job does with its targets.
const (
	Plans      Job = iota
	Applies        // whatever the targets' plans say
	WouldApply     // nothing yet: somebody is to approve the planfiles
)

// NewMany returns a summary that keeps its file in the folder dir, such as the runner's
// temporary folder. Close it.
func NewMany(dir string, job Job, subject Subject) *Many {
	return &Many{Subject: subject, Job: job, dir: dir}
}

// sizes are the limits for which a report is written, in bytes, the largest first.
var sizes = [...]int{256 << 10, 32 << 10, 4 << 10, 1 << 10}

// stored is where one form of a report is in the file, and the limit for which it was written.
type stored struct {
	at, length int64
	limit      int
}

// telling is the smallest limit with enough room for the target's whole error.
const telling = 32 << 10

// Add adds a target that is done, and its report; nil if it has none. The report is written a
// few times, and kept no longer than until the next target is added.
//
// After an error the target is in the overview, but a part of its report may be missing.
// Several goroutines may call Add at once; reports are written outside of any lock.
func (m *Many) Add(e Entry, report Report) error {
	// Clones, since these may be pieces of something large.
	e.Component, e.Stack = strings.Clone(markdown.Clip(e.Component, markdown.MaxName)), strings.Clone(markdown.Clip(e.Stack, markdown.MaxName))
	e.Digest, e.Note = strings.Clone(markdown.Clip(e.Digest, markdown.MaxName)), strings.Clone(markdown.Clip(e.Note, maxNote))
	e.TerraformName, e.TerraformVersion = strings.Clone(e.TerraformName), strings.Clone(markdown.Clip(e.TerraformVersion, markdown.MaxName))
	e.AtmosVersion = strings.Clone(markdown.Clip(e.AtmosVersion, markdown.MaxName))
	e.Needs = strings.Clone(markdown.Clip(e.Needs, markdown.MaxName))
	for i, text := range e.Unknown {
		e.Unknown[i] = strings.Clone(markdown.Clip(text, maxNote))
	}
	m.mu.Lock()
	at := len(m.rows)
	m.rows = append(m.rows, row{Entry: e})
	first := m.first
	m.first = nil
	if at == 0 { // it may stay the only one
		m.first = report
	}
	m.mu.Unlock()
	if at == 0 {
		return nil
	}
	return errors.Join(m.keep(0, first), m.keep(at, report))
}

// keep writes the report of a row to the file, in several sizes.
func (m *Many) keep(at int, report Report) (err error) {
	m.mu.Lock()
	e := m.rows[at].Entry
	m.mu.Unlock()
	if report == nil || e.Told {
		return nil
	}
	var forms []stored
	last := sizes[0] + 1
	for _, size := range sizes {
		if last <= size {
			continue // the one before is this one, too
		}
		form := strings.TrimRight(report.Part(m.Subject, size), "\n")
		if last = len(form) + len("\n"); form == "" {
			continue // no report fits this
		}
		var place stored
		if place, err = m.store(form); err == nil {
			place.limit = size
		} else {
			err = fmt.Errorf("keep the report of %s for the summary: %w", e.name(func(s string) string { return s }), err)
			break
		}
		forms = append(forms, place)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rows[at].forms = forms
	return err
}

// store appends text to the file.
func (m *Many) store(text string) (stored, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.file == nil {
		file, err := os.CreateTemp(m.dir, "gitops-summary-") // of mode 0600
		if err != nil {
			return stored{}, err
		}
		if err := os.Remove(file.Name()); err != nil {
			_ = file.Close()
			return stored{}, err
		}
		m.file = file
	}
	place := stored{at: m.size, length: int64(len(text))}
	if _, err := m.file.WriteAt([]byte(text), place.at); err != nil {
		return stored{}, err
	}
	m.size += place.length
	return place, nil
}

func (m *Many) load(place stored) (string, error) {
	text := make([]byte, place.length)
	if _, err := m.file.ReadAt(text, place.at); err != nil {
		return "", fmt.Errorf("read a report back for the summary: %w", err)
	}
	return string(text), nil
}

// Close deletes the file.
func (m *Many) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.file == nil {
		return nil
	}
	err := m.file.Close()
	m.file = nil
	return err
}

// foldReports is how many reports are shown one below the other. If there are more, each is
// folded into a line.
const foldReports = 3

// Markdown is the summary in at most limit bytes, such as [markdown.SummaryLimit]. Call it
// after all targets were added. To fit, first the least important reports become shorter, then
// they are left out, then the overview becomes shorter. An error is one of the file; the
// summary then has what could be read.
func (m *Many) Markdown(limit int) (string, error) {
	if m.one() {
		return m.only(limit), nil
	}
	if m.first != nil {
		if err := m.keep(0, m.first); err != nil {
			return "", err
		}
		m.first = nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	rows := sorted(m.rows)
	foot := m.next(rows) + m.foot("About this run", m.programs(rows)...)
	if len(foot) > limit/4 {
		foot = ""
	}
	room := limit - len(foot)
	for _, r := range rows {
		r.below = r.class().toldBelow() && len(r.forms) > 0
	}
	overview, p := m.arrange(rows, room)
	for i, r := range rows {
		if r.below && (p.forms[i] < 0 || p.forms[i] > 0 && r.forms[p.forms[i]].limit < telling) {
			// There is no room below for all errors: so they are all shown above.
			for _, r := range rows {
				r.below = false
			}
			overview, p = m.arrange(rows, room)
			break
		}
	}
	room -= len(overview)
	var b strings.Builder
	b.WriteString(overview)
	if p.shortened+p.missing > 0 {
		if note := m.missing(p.shortened, p.missing); len(note) <= room {
			b.WriteString(note)
		}
	}
	var failed error
	for i, r := range rows {
		if p.forms[i] < 0 {
			continue
		}
		text, err := m.load(r.forms[p.forms[i]])
		if err != nil {
			failed = err
			continue
		}
		open, end := "", "\n\n"
		if p.folded {
			open, end = opening(r), closing
		}
		b.WriteString(open + text + r.programs + end)
	}
	b.WriteString(foot)
	return b.String(), failed
}

// arrange writes the overview, and picks the reports for which there is room below it.
func (m *Many) arrange(rows []*row, room int) (overview string, p picked) {
	overview = m.overview(rows, room)
	return overview, pick(rows, room-len(overview)-len(m.missing(len(rows), len(rows))))
}

// programs are the programs that planned most of the targets, for the foot. The other targets
// have a line each below their reports.
func (m *Many) programs(rows []*row) []string {
	count := map[string]int{}
	most := ""
	for _, r := range rows {
		p := r.Entry.programs()
		if p == "" {
			continue
		}
		if count[p]++; most == "" || count[p] > count[most] || count[p] == count[most] && p < most {
			most = p
		}
	}
	if most == "" {
		return nil
	}
	for _, r := range rows {
		r.programs = ""
		if p := r.Entry.programs(); p != "" && p != most {
			r.programs = "\n\nVersion: " + p
		}
	}
	return []string{"Version: " + most}
}

// one reports whether the summary is about one target and nothing else. Then its report says
// everything.
func (m *Many) one() bool {
	if len(m.rows) != 1 || len(m.Uncovered)+len(m.Policies) > 0 {
		return false
	}
	c := m.rows[0].class()
	return c != classDeleted && c != classSelected
}

// only is the summary of one target: its report, or a line.
func (m *Many) only(limit int) string {
	r := m.rows[0]
	if m.first != nil {
		return m.first.Markdown(limit)
	}
	line := r.name(markdown.Code) + ": " + r.plain()
	if r.class() == classSkipped {
		line = "⏭️ " + r.name(markdown.Code) + " is skipped"
	}
	if r.Note != "" {
		line += ": " + m.text(r.Note)
	}
	return line + ".\n\n" + m.link()
}

// missing says which reports are not complete.
func (m *Many) missing(shortened, missing int) string {
	var list []string
	if shortened > 0 {
		list = append(list, "Shortened reports: "+markdown.Comma(shortened)+".")
	}
	if missing > 0 {
		list = append(list, "Reports left out: "+markdown.Comma(missing)+".")
	}
	return "> [!NOTE]\n> " + strings.Join(list, " ") + " " + m.rest(" names everything.") + "\n\n"
}

// closing ends a folded report.
const closing = "\n\n</details>\n\n"

// opening begins a folded report.
func opening(r *row) string {
	return "<details><summary>" + r.name(markdown.Element) + ": " + r.plain() + "</summary>\n\n"
}

// picked is which form of each report is shown.
type picked struct {
	forms              []int // an index into a row's forms, the largest first; -1: none
	folded             bool
	shortened, missing int
}

// pick chooses the forms of the reports: first the smallest form of each, the worst target
// first, and then, class by class, a larger form if there is room for all.
func pick(rows []*row, room int) picked {
	p := picked{forms: make([]int, len(rows))}
	reports := 0
	for i, r := range rows {
		p.forms[i] = -1
		if len(r.forms) > 0 {
			reports++
		}
	}
	p.folded = reports > foldReports
	cost := func(r *row, form int) int {
		n := int(r.forms[form].length) + len(r.programs) + len("\n\n")
		if p.folded {
			n += len(opening(r)) + len(closing)
		}
		return n
	}
	for i, r := range rows {
		if smallest := len(r.forms) - 1; smallest >= 0 && cost(r, smallest) <= room {
			room -= cost(r, smallest)
			p.forms[i] = smallest
		}
	}
	for c := range classes {
		for range sizes[1:] { // each time a size larger
			for i, r := range rows {
				if r.class() != c || p.forms[i] <= 0 {
					continue
				}
				more := int(r.forms[p.forms[i]-1].length - r.forms[p.forms[i]].length)
				if more <= room {
					room -= more
					p.forms[i]--
				}
			}
		}
	}
	for i, r := range rows {
		switch {
		case len(r.forms) > 0 && p.forms[i] < 0:
			p.missing++
		case p.forms[i] > 0:
			p.shortened++
		}
	}
	return p
}
