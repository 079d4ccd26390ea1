"""Is a value one? Its canonical text, and how it is shown to people, whole or masked."""
