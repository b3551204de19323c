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
	s = s.Renamed(PublicName)
	for _, g := range s.Guides {
		for _, name := range g.names() {
			*name = PublicName(*name)
		}
	}
	return s
}

// Renamed returns the settings with other names for the files of LoRAs and textual inversions.
func (s Settings) Renamed(name func(file string) string) Settings {
	s = s.Clone()
	for i := range s.LoRAs {
		s.LoRAs[i].Weights = name(s.LoRAs[i].Weights)
	}
	hashes := s.TextualInversionHashes
	s.TextualInversionHashes = nil
	for i, file := range s.TextualInversions {
		s.TextualInversions[i] = name(file)
		if hash := hashes[file]; hash != "" {
			if s.TextualInversionHashes == nil {
				s.TextualInversionHashes = map[string]string{}
			}
			s.TextualInversionHashes[s.TextualInversions[i]] = hash
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
