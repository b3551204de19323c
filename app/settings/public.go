package settings

import (
	"net/url"
	"path"
	"slices"
	"strings"
)

// Public returns the settings as a picture carries them. Names of files lose
// their folders, which tell of a person's disk, and links lose their query and
// user, which may hold a secret.
func (s Settings) Public() Settings {
	s.Model, s.InitImage, s.Mask = publicName(s.Model), publicName(s.InitImage), publicName(s.Mask)
	s.IPAdapters = slices.Clone(s.IPAdapters)
	for i := range s.IPAdapters {
		a := &s.IPAdapters[i]
		a.Weights, a.ImageEncoder, a.Mask = publicName(a.Weights), publicName(a.ImageEncoder), publicName(a.Mask)
		a.Images = slices.Clone(a.Images)
		for j := range a.Images {
			a.Images[j].Picture = publicName(a.Images[j].Picture)
		}
	}
	return s
}

func publicName(name string) string {
	if u, err := url.Parse(name); err == nil && (u.Scheme == "https" || u.Scheme == "http") {
		u.User, u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = nil, "", false, "", ""
		return u.String()
	}
	if strings.HasPrefix(name, "data:") {
		return ""
	}
	name = strings.TrimRight(strings.ReplaceAll(name, `\`, "/"), "/")
	if name == "" {
		return ""
	}
	return path.Base(name)
}
