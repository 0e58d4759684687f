"""Zero-trust validation of a judgement against the evidence of its incident."""
