package doctor

import (
	"fmt"
	"strings"

	"github.com/ossastore/ossa/internal/sign"
)

// difference is the first line in which two texts that should be the same are
// not. Line is 1-based.
type difference struct {
	text         string // the canonical request, or the string to sign
	line         int
	ours, theirs string
}

// cutMark ends a text that a server has shortened.
const cutMark = "..."

// firstDifference compares what was signed here with what a server says that it
// calculated. same also holds if the server told only a part, and that is the
// same.
func firstDifference(text, ours, theirs string) (d difference, same bool) {
	if cut, shortened := strings.CutSuffix(theirs, cutMark); shortened && strings.HasPrefix(ours, cut) {
		return d, true
	}
	// XML readers drop line ends at the end of a text.
	ours, theirs = strings.TrimRight(ours, "\n"), strings.TrimRight(theirs, "\n")
	a, b := strings.Split(ours, "\n"), strings.Split(theirs, "\n")
	for i := range max(len(a), len(b)) {
		x, y := lineOf(a, i), lineOf(b, i)
		if x != y {
			return difference{text, i + 1, x, y}, false
		}
	}
	return d, true
}

const noLine = "(no such line)"

func lineOf(lines []string, i int) string {
	if i >= len(lines) {
		return noLine
	}
	return lines[i]
}

// compareSigned finds the first difference between what was signed here and what
// the server says in a SignatureDoesNotMatch document. told is false if it says
// nothing.
func compareSigned(a *answer) (d difference, same, told bool) {
	claim, err := sign.Parse(a.signed)
	if err != nil || a.refusal == nil {
		return d, false, false
	}
	same = true
	for _, t := range []struct{ name, element, ours string }{
		{"canonical request", "CanonicalRequest", claim.CanonicalRequest(a.signed)},
		{"string to sign", "StringToSign", claim.StringToSign(a.signed)},
	} {
		theirs := a.refusal.Element(t.element)
		if theirs == "" || t.ours == "" {
			continue
		}
		told = true
		if d, same = firstDifference(t.name, t.ours, theirs); !same {
			return d, false, true
		}
	}
	return d, same, told
}

// lines are the difference for people. Where the lines are long, as those of
// paths and queries are, they are told from a little before it.
func (d difference) lines() []string {
	ours, theirs := maskToken(d.ours), maskToken(d.theirs)
	from := 0
	for from < len(ours) && from < len(theirs) && ours[from] == theirs[from] {
		from++
	}
	const before = 40
	skipped := ""
	if from > 2*before {
		skipped, ours, theirs = cutMark, ours[from-before:], theirs[from-before:]
	}
	return []string{
		fmt.Sprintf("first difference: line %d of the %s%s", d.line, d.text, d.meaning()),
		fmt.Sprintf("here:   %q", skipped+plainLine(ours)),
		fmt.Sprintf("server: %q", skipped+plainLine(theirs)),
	}
}

// plainLine bounds a line of what was signed. Blanks matter in it.
func plainLine(s string) string {
	if len(s) > maxPlain {
		s = s[:maxPlain] + cutMark
	}
	return strings.ToValidUTF8(s, "?")
}

// maskToken hides the value of a security token.
func maskToken(line string) string {
	for _, name := range []string{"x-oss-security-token:", "security-token="} {
		if i := strings.Index(line, name); i >= 0 {
			end := len(line)
			if j := strings.IndexByte(line[i:], '&'); j >= 0 {
				end = i + j
			}
			line = line[:i+len(name)] + fmt.Sprintf("(%d characters)", end-i-len(name)) + line[end:]
		}
	}
	return line
}

// meaning says what the line is, if that is sure.
func (d difference) meaning() string {
	header := func(line string) string {
		name, _, found := strings.Cut(line, ":")
		if !found || strings.ContainsAny(name, "/= ") {
			return ""
		}
		return name
	}
	switch {
	case d.text == "canonical request" && d.line == 1:
		return ", the method"
	case d.text == "canonical request" && d.line == 2:
		return ", bucket and key"
	case d.text == "canonical request" && d.line == 3:
		return ", the parameters"
	case d.text == "string to sign" && strings.HasSuffix(d.ours, "/aliyun_v4_request"):
		return ", date and region"
	case header(d.ours) != "":
		return ", the header " + plain(header(d.ours))
	case header(d.theirs) != "":
		return ", the header " + plain(header(d.theirs))
	}
	return ""
}
