package report

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// SummaryLimit is what one step may write to its job summary, in bytes; GitHub
// drops a larger one whole.
// https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits
const SummaryLimit = 1 << 20

// CommentLimit is how long the body of a comment or issue may be, in bytes.
// GitHub's error says "maximum is 65536 characters", without saying what a
// character is: no reading of it counts more than one for a byte of UTF-8.
const CommentLimit = 65536

// document is a report before it is fitted into a limit.
type document struct {
	title string // the heading
	line  string // the one line that is left when there is room for nothing else
	parts []*part
	foot  string
	rest  string // a sentence on where a reader finds what is left out, as Markdown
}

// part is one section: a title, then items between open and close.
type part struct {
	name  string // in the list of parts left out
	rank  rank   // who gets room first
	title string
	open  string
	close string
	items []item
	// omitted counts the items whose details nobody kept.
	omitted int
}

// item is one thing in a part, in a long and in a short form. An item without
// a short form is written in full or not at all.
type item struct {
	full  string // Markdown; empty when the document's room was used up before it
	brief string // one line, visible already; it will stand in a fence
}

// rank says which part gets room first when there is not enough for all.
type rank uint8

const (
	rankAlert rank = iota // what must not be overlooked
	rankTable
	rankError
	rankDestroy
	rankCheck
	rankWarning
	rankOutput
	rankChange
	rankOther
)

// The texts around what is left out, with room for the largest number.
const (
	briefOpen  = "<details><summary>%s more, without details</summary>\n\n"
	briefClose = "\n</details>\n\n"
	moreLine   = "And %s more, not listed here.\n\n"
	maxNumber  = len("9,223,372,036,854,775,807")
)

// shell is the room for all of p but its items: title, the texts around what
// is left out, and the fence of the short forms.
func (p *part) shell() int {
	run := 0
	for _, it := range p.items {
		run = max(run, longestRun(it.brief))
	}
	return len(p.title) + len(briefOpen) + len(briefClose) + len(moreLine) + 2*maxNumber +
		2*max(3, run+1) + len("text\n\n")
}

// markdown fits d into limit bytes. What does not fit is shortened in steps:
// short forms for the last items, then numbers for them, then whole parts,
// then all but one line.
func (d document) markdown(limit int) string {
	if out, ok := d.whole(limit); ok {
		return out
	}

	fixed := len(d.title) + len(d.line) + len(d.foot) + len(d.noteOn(d.parts, math.MaxInt, math.MaxInt))
	if fixed > limit {
		return d.least(limit)
	}

	l := layout{room: limit - fixed, forms: make(map[*part][]length, len(d.parts))}
	byRank := slices.Clone(d.parts)
	slices.SortStableFunc(byRank, func(a, b *part) int { return int(a.rank) - int(b.rank) })
	var out []*part
	for _, p := range byRank {
		if n := p.shell(); n <= l.room {
			l.room -= n
			l.forms[p] = make([]length, len(p.items))
		} else {
			out = append(out, p)
		}
	}
	// Names first, in half of the room: then details for the first of them.
	// What is still left after that goes to names again.
	half := l.room / 2
	l.room -= half
	l.fill(byRank, short)
	l.room += half
	l.fill(byRank, long)
	l.fill(byRank, short)
	return l.write(d, out)
}

// whole is d with nothing left out, if that is within limit.
func (d document) whole(limit int) (string, bool) {
	size := len(d.title) + len(d.line) + len(d.foot)
	for _, p := range d.parts {
		size += len(p.title) + len(p.open) + len(p.close)
		for _, it := range p.items {
			size += len(it.full)
			if it.full == "" {
				return "", false
			}
		}
		if p.omitted > 0 || size > limit {
			return "", false
		}
	}
	if size > limit {
		return "", false
	}
	var b strings.Builder
	b.Grow(size)
	b.WriteString(d.title)
	b.WriteString(d.line)
	for _, p := range d.parts {
		b.WriteString(p.title)
		b.WriteString(p.open)
		for _, it := range p.items {
			b.WriteString(it.full)
		}
		b.WriteString(p.close)
	}
	b.WriteString(d.foot)
	return b.String(), true
}

// least is what fits of the title, the line and a note, or nothing.
func (d document) least(limit int) string {
	note := "Shortened to fit. " + d.rest + "\n"
	for _, s := range []string{d.title + d.line + note, d.line + note, d.line, strings.TrimSpace(d.line)} {
		if len(s) <= limit {
			return s
		}
	}
	return ""
}

// noteOn says at the top what the report lacks.
func (d document) noteOn(parts []*part, brief, omitted int) string {
	var b strings.Builder
	b.WriteString("> [!NOTE]\n> **Shortened to fit.** ")
	if brief > 0 {
		b.WriteString(comma(brief) + " entries are listed without details. ")
	}
	if omitted > 0 {
		b.WriteString(comma(omitted) + " entries are only counted. ")
	}
	if len(parts) > 0 {
		b.WriteString("No room for: ")
		for i, p := range parts {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(p.name)
		}
		b.WriteString(". ")
	}
	b.WriteString(d.rest + "\n\n")
	return b.String()
}

type length uint8

const (
	none length = iota
	short
	long
)

// layout is how long each item will be written, and the room that is left.
type layout struct {
	room  int
	forms map[*part][]length
}

// fill gives items the form want, part by part, while there is room. An item
// that has no short form is written in full where a short form is asked for.
func (l *layout) fill(parts []*part, want length) {
	for _, p := range parts {
		forms, ok := l.forms[p]
		if !ok {
			continue
		}
		opened := slices.Contains(forms, long)
		for i, it := range p.items {
			to := want
			if it.brief == "" {
				to = long
			}
			if forms[i] >= to || (to == long && it.full == "") {
				continue
			}
			cost := len(it.brief) + 1
			if to == long {
				cost = len(it.full)
				if !opened {
					cost += len(p.open) + len(p.close)
				}
				if forms[i] == short {
					cost -= len(it.brief) + 1
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

// write writes d in the forms chosen; out are the parts there was no room for.
func (l *layout) write(d document, out []*part) string {
	var body strings.Builder
	brief, omitted := 0, 0
	for _, p := range d.parts {
		forms, ok := l.forms[p]
		if !ok {
			continue
		}
		body.WriteString(p.title)
		if slices.Contains(forms, long) {
			body.WriteString(p.open)
			for i, it := range p.items {
				if forms[i] == long {
					body.WriteString(it.full)
				}
			}
			body.WriteString(p.close)
		}
		var lines []byte
		n, missing := 0, p.omitted
		for i, it := range p.items {
			switch forms[i] {
			case short:
				lines = append(append(lines, it.brief...), '\n')
				n++
			case none:
				missing++
			}
		}
		if n > 0 {
			body.WriteString(strings.Replace(briefOpen, "%s", comma(n), 1))
			body.WriteString(fence("text", lines))
			body.WriteString(briefClose)
		}
		if missing > 0 {
			body.WriteString(strings.Replace(moreLine, "%s", comma(missing), 1))
		}
		brief += n
		omitted += missing
	}
	return d.title + d.line + d.noteOn(out, brief, omitted) + body.String() + d.foot
}

// comma writes n with its thousands apart.
func comma(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// count writes n and what it counts, in the plural where n is not 1.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return comma(n) + " " + what + "s"
}
