package settings

import (
	"net/url"
	"path"
	"strings"
)

// Public returns the settings as a picture carries them. Names of files lose their
// folders, which reveal something of a person's disk, and links lose their query and
// user, which may hold a secret.
func (s Settings) Public() Settings {
	s.Model, s.VAE, s.InitImage, s.Mask = PublicName(s.Model), PublicName(s.VAE), PublicName(s.InitImage), PublicName(s.Mask)
	s.PreviewVAE = ""
	s = s.Clone()
	for i := range s.LoRAs {
		s.LoRAs[i].Weights = PublicName(s.LoRAs[i].Weights)
	}
	hashes := map[string]string{}
	for i, name := range s.TextualInversions {
		s.TextualInversions[i] = PublicName(name)
		if hash := s.TextualInversionHashes[name]; hash != "" {
			hashes[s.TextualInversions[i]] = hash
		}
	}
	s.TextualInversionHashes = nil
	if len(hashes) > 0 {
		s.TextualInversionHashes = hashes
	}
	for _, g := range s.Guides {
		for _, name := range g.names() {
			*name = PublicName(*name)
		}
	}
	return s
}

// PublicName returns a name as pictures carry it.
func PublicName(name string) string {
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
