"""Who signs what: people sign images, a CI makes documents; so both shapes of token are in every row."""


def signer(lab, kind):
    return lab.email if kind == "signature" else lab.ci
