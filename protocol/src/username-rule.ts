/** What a username is. In a file of its own: the page says it while one is typed, without the schemas. */
export const USERNAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;
export const USERNAME_RULE = "must be 1 to 63 letters, digits, '_', '.' or '-', and begin with a letter or a digit";
