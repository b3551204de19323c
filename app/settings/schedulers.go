package settings

import (
	"strings"

	"github.com/imprompt/imprompt/model/scheduler"
)

// fromA1111 finds the scheduler for A1111's sampler and its schedule type, which A1111
// writes since version 1.9 ("" if there is none). exact is false if the sampler is known
// but not with that schedule.
func fromA1111(sampler, schedule string) (name string, exact, ok bool) {
	sampler = strings.TrimSpace(sampler)
	switch strings.ToLower(schedule) {
	case "", "normal", "uniform":
	case "automatic":
		// A1111's automatic choice differs from sampler to sampler.
		switch strings.ToLower(sampler) {
		case "dpm++ 2m":
			sampler += " Karras"
		case "dpm++ 2m sde":
			sampler += " Exponential"
		}
	default:
		if name, _, ok := fromA1111(sampler+" "+schedule, ""); ok {
			return name, true, true
		}
		name, _, ok = fromA1111(sampler, "")
		return name, false, ok
	}
	for _, s := range scheduler.All() {
		if strings.EqualFold(s.A1111, sampler) || strings.EqualFold(s.Label, sampler) || strings.EqualFold(s.Name, sampler) {
			return s.Name, true, true
		}
	}
	// Civitai writes ComfyUI's names in A1111's form.
	name, schedule, _ = strings.Cut(strings.ToLower(sampler), "_karras")
	if a, ok := comfySamplers[name]; ok && schedule == "" {
		if strings.HasSuffix(strings.ToLower(sampler), "_karras") {
			a += " Karras"
		}
		return fromA1111(a, "")
	}
	return "", false, false
}
