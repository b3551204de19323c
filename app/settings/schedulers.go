package settings

import "strings"

// scheduler is a scheduler's name here and A1111's for it.
type scheduler struct {
	name, a1111 string
}

// schedulers holds all that are known. A1111's PLMS is diffusers' PNDM with
// skip_prk_steps, as Stable Diffusion configures it.
var schedulers = []scheduler{
	{"ddim", "DDIM"},
	{"pndm", "PLMS"},
	{"dpmpp_2m", "DPM++ 2M"},
	{"dpmpp_2m_karras", "DPM++ 2M Karras"},
	{"euler", "Euler"},
	{"euler_a", "Euler a"},
	{"unipc", "UniPC"},
	{"lcm", "LCM"},
}

// Schedulers returns the names that Settings.Scheduler may have, "" aside.
func Schedulers() []string {
	names := make([]string, len(schedulers))
	for i, s := range schedulers {
		names[i] = s.name
	}
	return names
}

func schedulerNamed(name string) *scheduler {
	for i := range schedulers {
		if schedulers[i].name == name {
			return &schedulers[i]
		}
	}
	return nil
}

// fromA1111 finds the scheduler for A1111's sampler and, since its version 1.9,
// schedule type ("" where there is none). exact is false if the sampler is
// known but not with that schedule.
func fromA1111(sampler, schedule string) (name string, exact, ok bool) {
	sampler = strings.TrimSpace(sampler)
	switch strings.ToLower(schedule) {
	case "", "normal", "uniform":
	case "automatic":
		// A1111's automatic choice is each sampler's own; for this one, Karras.
		if strings.EqualFold(sampler, "DPM++ 2M") {
			sampler += " Karras"
		}
	default:
		if name, _, ok := fromA1111(sampler+" "+schedule, ""); ok {
			return name, true, true
		}
		name, _, ok = fromA1111(sampler, "")
		return name, false, ok
	}
	if strings.EqualFold(sampler, "PNDM") {
		sampler = "PLMS"
	}
	for _, s := range schedulers {
		if strings.EqualFold(s.a1111, sampler) {
			return s.name, true, true
		}
	}
	return "", false, false
}
