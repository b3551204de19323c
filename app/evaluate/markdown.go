package evaluate

import (
	"fmt"
	"strings"
)

// Markdown returns the table as tests/MEASURED.md shows it.
func (t *Table) Markdown() string {
	var b strings.Builder
	b.WriteString("| | CLIP-I | CLIP-T, its caption |")
	other := t.Own.Other != nil
	if other {
		b.WriteString(" CLIP-T, other words |")
	}
	b.WriteString("\n|---|---|---|")
	if other {
		b.WriteString("---|")
	}
	b.WriteByte('\n')
	baseline := func(name string, v Baseline) {
		fmt.Fprintf(&b, "| *%s* | %.3f | %.3f |", name, v.CLIPI, v.CLIPT)
		if v.Other != nil {
			fmt.Fprintf(&b, " %.3f |", *v.Other)
		}
		b.WriteByte('\n')
	}
	baseline("the pictures themselves", t.Own)
	if t.Another != nil {
		baseline("another's picture", *t.Another)
	}
	fewest, most := 0, 0
	for _, l := range t.Lines {
		fmt.Fprintf(&b, "| %s | %s | %s |", l.Name, l.CLIPI, l.CLIPT)
		if other {
			cell := ""
			if l.Other != nil {
				cell = l.Other.String()
			}
			fmt.Fprintf(&b, " %s |", cell)
		}
		b.WriteByte('\n')
		if fewest == 0 {
			fewest = l.Seeds
		}
		fewest, most = min(fewest, l.Seeds), max(most, l.Seeds)
	}
	seeds := count(most, "seed")
	if fewest != most {
		seeds = fmt.Sprintf("%d to %d seeds", fewest, most)
	}
	s := t.Settings
	scheduler := s.Scheduler
	if scheduler == "" {
		scheduler = "the model's own scheduler"
	}
	fmt.Fprintf(&b, "\nMeans over %s and %s, ± the standard deviation of the seeds' means. CLIP-I and CLIP-T are cosines of the embeddings of %s (CLIPScore is 2.5 times as much). %s, %d steps, guidance %g, %d × %d.\n",
		count(t.Pictures, "picture"), seeds, t.Judge, scheduler, s.NumInferenceSteps, s.GuidanceScale, s.Width, s.Height)
	return b.String()
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

func (m Measure) String() string {
	if m.Spread == nil {
		return fmt.Sprintf("%.3f", m.Mean)
	}
	return fmt.Sprintf("%.3f ± %.3f", m.Mean, *m.Spread)
}
