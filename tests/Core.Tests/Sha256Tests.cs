using System.Security.Cryptography;

namespace Supervisor.Core.Tests;

/// <summary>The digests are those of the framework's SHA-256.</summary>
public sealed class Sha256Tests
{
    [Fact]
    public void A_digest_is_the_same_for_each_length_around_the_size_of_a_block()
    {
        var bytes = new byte[300];
        new Random(1).NextBytes(bytes);
        Assert.All(
            Enumerable.Range(0, bytes.Length + 1),
            length => Assert.Equal(SHA256.HashData(bytes.AsSpan(0, length)), Sha256.Of(bytes.AsSpan(0, length))));
    }

    [Fact]
    public void The_digest_of_abc_is_the_one_of_the_standard() =>
        Assert.Equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", Convert.ToHexStringLower(Sha256.Of("abc"u8)));
}
