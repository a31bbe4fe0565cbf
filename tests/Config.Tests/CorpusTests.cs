using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Tests;

/// <summary>Each Corpus/NAME.toml has exactly the errors of NAME.errors next to it. An empty file means no errors.</summary>
public sealed class CorpusTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Corpus");

    public static TheoryData<string> Names => [.. Directory.GetFiles(Folder, "*.toml").Select(f => Path.GetFileNameWithoutExtension(f)!)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Each_corpus_file_has_its_expected_errors(string name)
    {
        var text = File.ReadAllText(Path.Combine(Folder, name + ".toml"));
        var expected = File.ReadAllLines(Path.Combine(Folder, name + ".errors"));
        var result = Parsing.Parse([new ConfigSource(name + ".toml", text)], Parsing.Context);
        Assert.Equal(expected, result.Errors.Select(error => error.ToString()));
        Assert.Equal(expected.Length == 0, result.Config is not null);
    }
}
