using System.Text.RegularExpressions;

namespace Supervisor.Architecture;

/// <summary>Each code of a finding is explained.</summary>
public partial class FindingCodesTests
{
    [Fact]
    public void Each_code_is_documented()
    {
        var root = Repository.Root();
        var codes = Code().Matches(File.ReadAllText(Path.Combine(root, "src/Supervisor.Core/Diagnosis/FindingCode.cs")))
            .Select(match => match.Groups[1].Value).ToArray();
        Assert.True(codes.Length > 15);
        foreach (var page in (string[])["docs/reference/diagnosis.md", "docs/reference/control-api.md"])
        {
            var text = File.ReadAllText(Path.Combine(root, page));
            Assert.Equal([], codes.Where(code => !text.Contains($"`{code}`", StringComparison.Ordinal)));
        }
    }

    [GeneratedRegex("FindingCode\\.[A-Za-z]+ => \"([a-z-]+)\"")]
    private static partial Regex Code();
}
