"""The models as a graph: what each declares (`heads`), who makes which table (`registry`), how they are filled in (`parameters`,
`reference`), where their inputs come from (`inputs`, `moment`), and the one
runner that binds and makes (`runner`)."""
