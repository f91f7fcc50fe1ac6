/** An invitation as link to a page, in the part of the URL that browsers send to no server; without a page its bare text. */
export const invitationPage = (page: string | undefined, invitation: string): string =>
  page === undefined ? invitation : `${page.split('#', 1)[0]}#join=${invitation}`
