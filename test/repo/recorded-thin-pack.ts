// Two packs of a history of two commits, as `git pack-objects --revs` of git 2.39.5 wrote them for two pushes: the first commit, then
// the second with --thin, which has one blob as a REF_DELTA of a blob of the first. src/numbers.txt is `seq 1 200`, in the second
// commit with a line "changed" after the hundredth; README is "hello".

/** src/numbers.txt of the first commit: the base that the second pack lacks. */
export const THIN_BASE_ID = "aa5e3f802c6a6d3eb7eac845d2293dec38ccfff1";
/** src/numbers.txt of the second commit: the delta. */
export const THIN_DELTA_ID = "bb67c4107568dcd4313b49b9d46cf9d3ada32868";

export const FIRST_PACK: Uint8Array = Buffer.from(
  "UEFDSwAAAAIAAAAFmgh4nCspSk1VSDGzMDVOMTQyTTU1TU5NTUs2M0pOMk1JNk5MMTY3TDMySklJTUwysORKLC3JyC9ScFSwSXRIrUjMLchJ1UvO" +
    "z7VTMDQ3gAIFbRDJBRTNzSwpSSVKMVd+XioXAEA6J5agBHicMzQwMDMxUQhydXTxdWU4x2imysy94vZKtu9h0+rnzVk8xc3LxAAIFIqLkhkObCvZ" +
    "/u67ZYLGnF8Z+14/OVFq8vgTAMq6Gz82eJzLSM3JyecCAAhLAh+nAnicMzQwMDMxUcgrzU1KLSrWK6koYVgVZ9+gk5Vrt/3VCddLmrZvLM78/wgA" +
    "Di8QqLQreJwd0skRwDAMw8A/qjHlu//GAufPybFQKDqDyWJzuKSRkCKdDDLJIpsccqlGhSqqU4Oa1KI2dahLb/TQfWSnD/qkL/qmH/plNEYYxfCN" +
    "gzEZi7EZh3GZjRlmMTvTD5rMxdzMw7ysxgqrWJ01WH7vYm3WYV12Y4dd7M4e7Mn2dzb7sC+nccIpTucMzuQsjn97OJfbuOEWt3MHd3IXd3PFeBpy" +
    "ND2aIE2RJknTpInSVGmyNHc/m7sH9+Qe3bN7eE/v8ekXAVPP152GETEqRsboGCGjZKSMlukvhDs5o2cEjaKRNJpG1KgaWTNeMXfKRtpoG3GjbuSN" +
    "vhE4Cme+tO5EjsqROTpH6CgdqaN1xM56N+BO7wgexSN5NI/oUT2yR/fsdyzupI/2ET/qR/7oHwPEAjFBzrsqd1aIGWKHGCKWiCliixgj1sh95/fu" +
    "r/EB/3Jrf59r6Ju3MJoxWjBsw07xviu8BGW6",
  "base64",
);

export const THIN_PACK: Uint8Array = Buffer.from(
  "UEFDSwAAAAIAAAAEmgt4nI2KQQrCMBAA73nF3gXZNLubFKToUzbJFgVrS4jo863gA5zDHIbpzQzEc8iYwlxIZa7jyJQjEZNRCbGyCPssUtymzR4d" +
    "MgX06OsgPgVOWpQtYNzvxDwjR7NoAw5On/26NrjASc/21mW727GsywQ+4g84fO32utx6t79m11+r+wD0kjNMoAR4nDM0MDAzMVEIcnV08XVlOMdo" +
    "psrMveL2SrbvYdPq581ZPMXNy8QACBSKi5IZHOwumSXEuQhu8t0cmnzT3WHZ0YOPAZi3F5mnAnicMzQwMDMxUcgrzU1KLSrWK6koYdidfkSgNOPO" +
    "FUNrz51Xcn5eXrtYIwMAGn0Qt/QBql4/gCxqbT636shF0ik97DjM//F4nNvCuod1gwoje3JGYl56aspmZcaJjABH3QaKZ43eJ85gLInbpii56f86" +
    "yePX71U=",
  "base64",
);
