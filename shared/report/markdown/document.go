package markdown

import (
	"math"
	"slices"
	"strings"
)

// SummaryLimit is how much one step may write to its job summary, in bytes. GitHub shows
// nothing of a larger one.
// https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits
const SummaryLimit = 1 << 20

// CommentLimit is how long the body of a comment or issue may be. GitHub's error says "maximum
// is 65536 characters", and not what a character is. A text of so many bytes of UTF-8 never has
// more.
const CommentLimit = 65536

// Document is a report, before it is shortened to a limit.
type Document struct {
	Title string // the heading
	Line  string // the one line that is left when there is room for nothing else
	Parts []*Part
	Foot  string
	Rest  string // a sentence on where a reader finds what is left out, as Markdown
}

// Part is one section: a title, then items between Open and Close.
type Part struct {
	Name  string // in the list of parts left out
	Rank  Rank   // who gets room first
	Title string
	Open  string
	Close string
	Items []Item
	// Omitted counts further items, whose details are not known.
	Omitted int
}

// Item is one thing in a part, in a long and in a short form. An item without a short form is
// written in full or not at all.
type Item struct {
	Full  string // Markdown; empty when the document's room was used up before it
	Brief string // one line, visible already; it will stand in a fence
}

// Rank says which part gets room first if there is not enough for all.
type Rank uint8

// The ranks. The first ones get room first.
const (
	RankAlert Rank = iota // what must not be overlooked
	RankTable
	RankError
	RankDestroy
	RankCheck
	RankWarning
	RankOutput
	RankChange
	RankOther
)

// The texts around what is left out, and how long the largest number is.
const (
	briefOpen  = "<details><summary>%s more, without details</summary>\n\n"
	briefClose = "\n</details>\n\n"
	moreLine   = "And %s more, not listed here.\n\n"
	maxNumber  = len("9,223,372,036,854,775,807")
)

// shell is how much room p needs besides its items: for the title, the texts around what is
// left out, and the fence of the short forms.
func (p *Part) shell() int {
	run := 0
	for _, it := range p.Items {
		run = max(run, LongestRun(it.Brief))
	}
	return len(p.Title) + len(briefOpen) + len(briefClose) + len(moreLine) + 2*maxNumber +
		2*max(3, run+1) + len("text\n\n")
}

// Markdown returns d in at most limit bytes. It shortens d in steps: first the last items get
// their short forms, then they are only counted, then whole parts are left out, then everything
// but one line.
func (d Document) Markdown(limit int) string {
	if out, ok := d.Whole(limit); ok {
		return out
	}

	fixed := len(d.Title) + len(d.Line) + len(d.Foot) + len(d.noteOn(d.Parts, math.MaxInt, math.MaxInt))
	if fixed > limit {
		return d.least(limit)
	}

	l := layout{room: limit - fixed, forms: make(map[*Part][]length, len(d.Parts))}
	byRank := slices.Clone(d.Parts)
	slices.SortStableFunc(byRank, func(a, b *Part) int { return int(a.Rank) - int(b.Rank) })
	var out []*Part
	for _, p := range byRank {
		if n := p.shell(); n <= l.room {
			l.room -= n
			l.forms[p] = make([]length, len(p.Items))
		} else {
			out = append(out, p)
		}
	}
	// Names get half of the room. The other half is for details of the first items. What
	// remains then is for names again.
	half := l.room / 2
	l.room -= half
	l.fill(byRank, short)
	l.room += half
	l.fill(byRank, long)
	l.fill(byRank, short)
	return l.write(d, out)
}

// Whole returns d with nothing left out; false if that is longer than limit.
func (d Document) Whole(limit int) (string, bool) {
	size := len(d.Title) + len(d.Line) + len(d.Foot)
	for _, p := range d.Parts {
		size += len(p.Title) + len(p.Open) + len(p.Close)
		for _, it := range p.Items {
			size += len(it.Full)
			if it.Full == "" {
				return "", false
			}
		}
		if p.Omitted > 0 || size > limit {
			return "", false
		}
	}
	if size > limit {
		return "", false
	}
	var b strings.Builder
	b.Grow(size)
	b.WriteString(d.Title)
	b.WriteString(d.Line)
	for _, p := range d.Parts {
		b.WriteString(p.Title)
		b.WriteString(p.Open)
		for _, it := range p.Items {
			b.WriteString(it.Full)
		}
		b.WriteString(p.Close)
	}
	b.WriteString(d.Foot)
	return b.String(), true
}

// least returns what fits of the title, the line and a note, or nothing.
func (d Document) least(limit int) string {
	note := "Shortened to fit. " + d.Rest + "\n"
	for _, s := range []string{d.Title + d.Line + note, d.Line + note, d.Line, strings.TrimSpace(d.Line)} {
		if len(s) <= limit {
			return s
		}
	}
	return ""
}

// noteOn is the note at the top that says what is missing.
func (d Document) noteOn(parts []*Part, brief, omitted int) string {
	var b strings.Builder
	b.WriteString("> [!NOTE]\n> **Shortened to fit.** ")
	if brief > 0 {
		b.WriteString(Comma(brief) + " entries are listed without details. ")
	}
	if omitted > 0 {
		b.WriteString(Comma(omitted) + " entries are only counted. ")
	}
	if len(parts) > 0 {
		b.WriteString("No room for: ")
		for i, p := range parts {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(p.Name)
		}
		b.WriteString(". ")
	}
	b.WriteString(d.Rest + "\n\n")
	return b.String()
}

type length uint8

const (
	none length = iota
	short
	long
)

// layout is how each item will be written, and how much room is left.
type layout struct {
	room  int
	forms map[*Part][]length
}

// fill gives items the form want, part by part, while there is room. An item without a short
// form is written in full instead.
func (l *layout) fill(parts []*Part, want length) {
	for _, p := range parts {
		forms, ok := l.forms[p]
		if !ok {
			continue
		}
		opened := slices.Contains(forms, long)
		for i, it := range p.Items {
			to := want
			if it.Brief == "" {
				to = long
			}
			if forms[i] >= to || (to == long && it.Full == "") {
				continue
			}
			cost := len(it.Brief) + 1
			if to == long {
				cost = len(it.Full)
				if !opened {
					cost += len(p.Open) + len(p.Close)
				}
				if forms[i] == short {
					cost -= len(it.Brief) + 1
				}
			}
			if cost > l.room {
				continue
			}
			l.room -= cost
			forms[i] = to
			opened = opened || to == long
		}
	}
}

// write returns d in the forms that were chosen. out are the parts for which there was no room.
func (l *layout) write(d Document, out []*Part) string {
	var body strings.Builder
	brief, omitted := 0, 0
	for _, p := range d.Parts {
		forms, ok := l.forms[p]
		if !ok {
			continue
		}
		body.WriteString(p.Title)
		if slices.Contains(forms, long) {
			body.WriteString(p.Open)
			for i, it := range p.Items {
				if forms[i] == long {
					body.WriteString(it.Full)
				}
			}
			body.WriteString(p.Close)
		}
		var lines []byte
		n, missing := 0, p.Omitted
		for i, it := range p.Items {
			switch forms[i] {
			case short:
				lines = append(append(lines, it.Brief...), '\n')
				n++
			case none:
				missing++
			}
		}
		if n > 0 {
			body.WriteString(strings.Replace(briefOpen, "%s", Comma(n), 1))
			body.WriteString(FenceVisible("text", lines))
			body.WriteString(briefClose)
		}
		if missing > 0 {
			body.WriteString(strings.Replace(moreLine, "%s", Comma(missing), 1))
		}
		brief += n
		omitted += missing
	}
	return d.Title + d.Line + d.noteOn(out, brief, omitted) + body.String() + d.Foot
}

// Add appends the parts that have something to show.
func (d *Document) Add(parts ...*Part) {
	for _, p := range parts {
		if p != nil && (p.Title != "" || len(p.Items) > 0) {
			d.Parts = append(d.Parts, p)
		}
	}
}
