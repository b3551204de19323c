package controlnet

import (
	"fmt"
	"math"
)

// Balance is how a ControlNet shares the picture with the words. Balanced, PromptFirst and
// ControlFirst are sd-webui-controlnet's control modes, and Guess is diffusers' guess_mode.
type Balance string

const (
	Balanced Balance = "balanced"
	// PromptFirst is "My prompt is more important": the residuals' weights fall from the mid
	// block to the first skip, in both branches of guidance.
	PromptFirst Balance = "prompt"
	// ControlFirst is "ControlNet is more important": only the conditional branch has the
	// residuals, so that guidance multiplies their effect.
	ControlFirst Balance = "control"
	// Guess is both: weights that fall, in the conditional branch only.
	Guess Balance = "guess"
)

// Balances lists all of them.
var Balances = []Balance{Balanced, PromptFirst, ControlFirst, Guess}

// conditionalOnly says whether the unconditional branch goes without residuals.
func (b Balance) conditionalOnly() bool { return b == ControlFirst || b == Guess }

// weights returns the weights of a network's n residuals: λ for each, or λ times
// torch.logspace(-1, 0, n) where they fall. In guess mode a network with global pooling keeps
// λ, as in diffusers (ControlNetModel.forward).
func (b Balance) weights(n int, lambda float64, globalPool bool) ([]float64, error) {
	switch b {
	case "", Balanced, PromptFirst, ControlFirst, Guess:
	default:
		return nil, fmt.Errorf("the balance %q is unknown; there are %v", b, Balances)
	}
	list := make([]float64, n)
	for i := range list {
		list[i] = lambda
		if b == PromptFirst || b == Guess && !globalPool {
			list[i] *= math.Pow(10, -1+float64(i)/float64(n-1))
		}
	}
	return list, nil
}
