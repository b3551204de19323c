package texts

// Translate translates a text that was made elsewhere, such as the name of a sampler, and returns it as it is if the
// language does not have it.
func Translate(message string) string { return T(message) }
