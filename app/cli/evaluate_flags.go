package cli

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/imprompt/imprompt/app/evaluate"
)

const evaluateUsage = `./build.sh evaluate [--table FILE.json]
  --table FILE.json    the rows, adapters and list of pictures (default: app/evaluate/shipped.json, for the model that ships)
  --out DIR            the folder for table.md, table.json, sheet.png, results.jsonl and pictures/ (default: .build/evaluate);
                       pictures that are there already are not drawn again
  --count N            how many of the list's pictures to use (0: all)
  --seeds N            draw each picture with the seeds 0 to N-1
  --row TEXT           only the rows whose name contains TEXT; may be given several times
  --clip DIR           the CLIP that judges: a folder with a CLIPModel, or one in diffusers' layout (default: the model that ships)
  --pictures FILE.jsonl  --num-inference-steps N  --guidance-scale F  --scheduler NAME  --height H  --width W
                       replace the values in the table
  --no-f16             do not use shader-f16
`

// evaluation holds the values of evaluate's flags.
type evaluation struct {
	table, out  string
	rows        []string
	noF16, help bool
	changes     []func(*evaluate.Spec) // of the table's settings, in order
}

func parseEvaluation(args []string) (*evaluation, error) {
	o := &evaluation{table: "app/evaluate/shipped.json", out: ".build/evaluate"}
	var errs []error
	for i := 0; i < len(args); i++ {
		name, value, joined := strings.Cut(args[i], "=")
		text := func() string {
			if joined {
				return value
			}
			if i++; i >= len(args) {
				errs = append(errs, fmt.Errorf("%s needs a value", name))
				return ""
			}
			return args[i]
		}
		integer := func(set func(*evaluate.Spec, int)) {
			t := text()
			v, err := strconv.Atoi(t)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %q is not a whole number", name, t))
			}
			o.changes = append(o.changes, func(s *evaluate.Spec) { set(s, v) })
		}
		words := func(set func(*evaluate.Spec, string)) {
			t := text()
			o.changes = append(o.changes, func(s *evaluate.Spec) { set(s, t) })
		}
		switch name {
		case "--table":
			o.table = text()
		case "--out":
			o.out = text()
		case "--row":
			o.rows = append(o.rows, text())
		case "--pictures":
			words(func(s *evaluate.Spec, v string) { s.Pictures = v })
		case "--clip":
			words(func(s *evaluate.Spec, v string) { s.CLIP = v })
		case "--scheduler":
			words(func(s *evaluate.Spec, v string) { s.Scheduler = v })
		case "--count":
			integer(func(s *evaluate.Spec, v int) { s.Count = v })
		case "--seeds":
			integer(func(s *evaluate.Spec, v int) { s.Seeds = v })
		case "--num-inference-steps":
			integer(func(s *evaluate.Spec, v int) { s.NumInferenceSteps = v })
		case "--height":
			integer(func(s *evaluate.Spec, v int) { s.Height = v })
		case "--width":
			integer(func(s *evaluate.Spec, v int) { s.Width = v })
		case "--guidance-scale":
			t := text()
			v, err := strconv.ParseFloat(t, 64)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %q is not a number", name, t))
			}
			o.changes = append(o.changes, func(s *evaluate.Spec) { s.GuidanceScale = v })
		case "--no-f16":
			o.noF16 = true
		case "--help", "-h":
			o.help = true
			return o, nil
		default:
			errs = append(errs, fmt.Errorf("there is no option %s", args[i]))
		}
	}
	return o, errors.Join(errs...)
}

// spec reads the table and changes it as the flags say.
func (o *evaluation) spec() (*evaluate.Spec, error) {
	b, err := os.ReadFile(o.table)
	if err != nil {
		return nil, err
	}
	s, err := evaluate.ParseSpec(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.table, err)
	}
	for _, change := range o.changes {
		change(s)
	}
	if err := s.Keep(o.rows); err != nil {
		return nil, fmt.Errorf("%s: %w", o.table, err)
	}
	return s, nil
}
