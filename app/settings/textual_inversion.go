package settings

// TextualInversionName is what the words call an embedding: its file's name without folder and
// ending.
func TextualInversionName(file string) string { return weightsName(file) }
